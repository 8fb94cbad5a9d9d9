from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class DigestConfig(AppConfig):
    name = "digest"
    verbose_name = "Papers and digests"

    def ready(self) -> None:
        import_module("digest.tracking.liking")  # connects the receiver of confirmations
        import_module("digest.tracking")  # connects the receiver of provider events
        if settings.DKIM_SELECTOR or settings.DKIM_PRIVATE_KEY:
            import_module("digest.smtp.dkim")  # registers the check of the key
