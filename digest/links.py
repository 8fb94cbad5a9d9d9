"""Signed links to a reader's own digests and to what they say of a paper."""

from __future__ import annotations

from django.core import signing
from django.urls import reverse

from digest.models import Digest, Feedback, Paper
from subscriptions.links import absolute
from subscriptions.models import Subscriber

_DIGEST, _FEEDBACK = "paper-round.digest", "paper-round.feedback"


def web_copy(digest: Digest) -> str:
    """The mail on the web."""
    reader = digest.subscriber
    text = f"{reader.code}.{reader.token_version}.{digest.issue_date:%Y%m%d}"
    return absolute(reverse("digest:web_copy", args=[signing.Signer(salt=_DIGEST).sign(text)]))


def digest_of(token: str) -> Digest:
    """The digest a link names. Raises signing.BadSignature, Digest.DoesNotExist."""
    code, version, date = signing.Signer(salt=_DIGEST).unsign(token).rsplit(".", 2)
    return Digest.objects.select_related("subscriber").get(
        subscriber__code=code,
        subscriber__token_version=int(version),
        issue_date=f"{date[:4]}-{date[4:6]}-{date[6:]}",
    )


def feedback(subscriber: Subscriber, paper: Paper, kind: Feedback.Kind) -> str:
    """Asks; a POST there records it, another undoes it."""
    text = f"{subscriber.code}.{subscriber.token_version}.{paper.pk}.{kind.value}"
    return absolute(reverse("digest:feedback", args=[signing.Signer(salt=_FEEDBACK).sign(text)]))


def feedback_of(token: str) -> tuple[Subscriber, Paper, Feedback.Kind]:
    """Who says what of which paper. Raises signing.BadSignature, Subscriber.DoesNotExist, Paper.DoesNotExist."""
    code, version, paper, kind = signing.Signer(salt=_FEEDBACK).unsign(token).rsplit(".", 3)
    reader = Subscriber.objects.get(code=code, token_version=int(version))
    return reader, Paper.objects.get(pk=int(paper)), Feedback.Kind(kind)
