from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class DigestConfig(AppConfig):
    name = "digest"
    verbose_name = "Papers and digests"

    def ready(self) -> None:
        import_module("digest.mail.tracking.signup_likes")  # connects the receiver of confirmations
        import_module("digest.mail.tracking")  # connects the receiver of provider events
        if settings.DKIM_SELECTOR or settings.DKIM_PRIVATE_KEY:
            import_module("digest.mail.transports.smtp.dkim")  # registers the check of the key
