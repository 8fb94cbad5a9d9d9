"""The operator's view of sources, papers, digests and deliveries, and the preview of a reader's next mail."""

from digest.admin import digests, papers, sources
from digest.admin.next_mail import preview_urls
from digest.admin.send_control import mail_urls

__all__ = ["digests", "mail_urls", "papers", "preview_urls", "sources"]
