"""Links to papers, and signed ones to a reader's own digests and to what they say of a paper."""

from __future__ import annotations

from django.core import signing
from django.urls import reverse

from digest.models import Digest
from subscriptions.links import UNDO, absolute
from subscriptions.models import Subscriber

DIGEST, FEEDBACK, MUTE = "paper-round.digest", "paper-round.feedback", "paper-round.mute"  # salts


def web_copy(digest: Digest) -> str:
    """The mail on the web."""
    return absolute(reverse("digest:web_copy", args=[signing.Signer(salt=DIGEST).sign(name_of(digest))]))


def digest_of(token: str) -> Digest:
    """The digest a link names. Raises signing.BadSignature, Digest.DoesNotExist."""
    return _named(signing.Signer(salt=DIGEST).unsign(token))


def feedback(digest: Digest) -> str:
    """Where a reader says what they think of the papers of one digest.

    With `?paper=ID&say=more` it asks whether to note that; a POST there notes it, another undoes it. One signature
    a mail and not one a paper: a mail of ten papers holds forty such links.
    """
    return absolute(reverse("digest:feedback", args=[signing.Signer(salt=FEEDBACK).sign(name_of(digest))]))


def feedback_on(token: str) -> Digest:
    """The digest whose papers somebody speaks of. Raises signing.BadSignature, Digest.DoesNotExist."""
    return _named(signing.Signer(salt=FEEDBACK).unsign(token))


def mute_undo(subscriber: Subscriber, line: str) -> str:
    """A token that takes back for some days the muting of this line, and nothing else."""
    return signing.TimestampSigner(salt=MUTE).sign(f"{subscriber.code}.{subscriber.token_version} {line}")


def muted_line(token: str, subscriber: Subscriber) -> str:
    """The line such a token takes back. Raises signing.BadSignature."""
    name, _, line = signing.TimestampSigner(salt=MUTE).unsign(token, max_age=UNDO).partition(" ")
    if name != f"{subscriber.code}.{subscriber.token_version}":
        raise signing.BadSignature("of another subscriber")
    return line


def name_of(digest: Digest) -> str:
    """What a signature of these links is made over."""
    reader = digest.subscriber
    return f"{reader.code}.{reader.token_version}.{digest.issue_date:%Y%m%d}"


def _named(name: str) -> Digest:
    code, version, date = name.rsplit(".", 2)
    return Digest.objects.select_related("subscriber").get(
        subscriber__code=code,
        subscriber__token_version=int(version),
        issue_date=f"{date[:4]}-{date[4:6]}-{date[6:]}",
    )
