"""Who we write to, what they want and when, and whether we may."""

from subscriptions.models.consents import Consent
from subscriptions.models.interests import Interest, InterestLine
from subscriptions.models.mail_requests import MailRequest, SignupHour
from subscriptions.models.pending_signups import PendingSignup
from subscriptions.models.rate_counts import RateCount
from subscriptions.models.subscribers import Secret, Subscriber, SubscriberQuerySet, new_code
from subscriptions.models.suppressions import Suppression

__all__ = [
    "Consent", "Interest", "InterestLine", "MailRequest", "PendingSignup", "RateCount", "Secret", "SignupHour",
    "Subscriber", "SubscriberQuerySet", "Suppression", "new_code",
]  # fmt: skip
