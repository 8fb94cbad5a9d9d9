"""What we send and what became of it: papers and where they came from, matches, digests and their mails."""

from digest.models.digests import Delivery, Digest, Feedback
from digest.models.mailing import MailDay, MailGate, RateBucket
from digest.models.matches import Match
from digest.models.papers import Edition, Listing, Paper, UpvoteObservation
from digest.models.picks import Lane, Pick, Reason, ReasonKind
from digest.models.search import SearchText
from digest.models.sources import KeptPage, Source, UnreadDay

__all__ = [
    "Delivery", "Digest", "Edition", "Feedback", "KeptPage", "Lane", "Listing", "MailDay", "MailGate", "Match",
    "Paper", "Pick", "RateBucket", "Reason", "ReasonKind", "SearchText", "Source", "UnreadDay", "UpvoteObservation",
]  # fmt: skip
