"""A digest -> the mail.

`compose` is the plain way: templates and Django's own mail, for previews, for providers' interfaces, and as the
measure of the other. `Press` is the fast way, straight to bytes for SMTP. The words of a pick are made in `words`,
once for both parts, the web copy and both ways.
"""

from digest.composing.headers import headers, message_id, sender_domain
from digest.composing.picked import order_of
from digest.composing.plain import compose
from digest.composing.press import Press
from digest.composing.words import context, show, subject

__all__ = ["Press", "compose", "context", "headers", "message_id", "order_of", "sender_domain", "show", "subject"]
