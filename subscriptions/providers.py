"""The mail providers: what each needs to be told, and how its reports are known to be its own. One row a provider.

`docs/providers.md` says the same for operators. Anymail's settings lack the prefix ANYMAIL_ here, as in its dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Provider:
    slug: str  # as Anymail names its modules and addresses
    name: str  # as Anymail names it in errors and events
    keys: tuple[str, ...]  # settings it cannot send without
    signatures: tuple[str, ...] = ()  # any of these lets it sign its reports

    @property
    def webhook(self) -> str:
        """Where it reports to."""
        path = "mandrill" if self.slug == "mandrill" else f"{self.slug}/tracking"
        return f"{settings.SITE_URL}/webhooks/{path}/"

    def missing_keys(self) -> list[str]:
        return [name for name in self.keys if not settings.ANYMAIL.get(name)]

    def can_verify(self) -> bool:
        """Whether a report can be told from a forgery: by the shared secret in its address, or by its signature."""
        return any(settings.ANYMAIL.get(name) for name in ("WEBHOOK_SECRET", *self.signatures))


PROVIDERS = {
    one.slug: one
    for one in (
        Provider("amazon_ses", "Amazon SES", ()),  # boto3 finds its credentials in many places
        Provider("brevo", "Brevo", ("BREVO_API_KEY",)),
        Provider("mailersend", "MailerSend", ("MAILERSEND_API_TOKEN",), ("MAILERSEND_SIGNING_SECRET",)),
        Provider("mailgun", "Mailgun", ("MAILGUN_API_KEY",), ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY")),
        Provider("mailjet", "Mailjet", ("MAILJET_API_KEY", "MAILJET_SECRET_KEY")),
        Provider("mandrill", "Mandrill", ("MANDRILL_API_KEY",), ("MANDRILL_WEBHOOK_KEY",)),
        Provider("postal", "Postal", ("POSTAL_API_KEY", "POSTAL_API_URL"), ("POSTAL_WEBHOOK_KEY",)),
        Provider("postmark", "Postmark", ("POSTMARK_SERVER_TOKEN",)),
        Provider("resend", "Resend", ("RESEND_API_KEY",), ("RESEND_SIGNING_SECRET",)),
        Provider("sendgrid", "SendGrid", ("SENDGRID_API_KEY",), ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",)),
        Provider("sparkpost", "SparkPost", ("SPARKPOST_API_KEY",)),
    )
}


def current() -> Provider | None:
    """The provider that mail goes through; None for SMTP."""
    parts = settings.EMAIL_BACKEND.split(".")
    return PROVIDERS.get(parts[-2]) if parts[-1] == "EmailBackend" and parts[-2] in PROVIDERS else None
