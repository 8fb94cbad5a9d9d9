"""Whether a source says that a paper was taken back: in its title, or in a sentence of its abstract or comment.

Strict on purpose: a paper about retractions, or one withdrawn from a conference, stays.
"""

from __future__ import annotations

import re

# Prefixes as publishers write them. "Withdrawn:" may be a word of the title and counts in capitals only.
RETRACTED_TITLE = re.compile(
    r"\W{0,2}(?:"
    r"(?i:retracted(?:\s+(?:article|paper|chapter))?)\s*[:\]\u2013\u2014]"
    r"|(?:WITHDRAWN|REMOVED|TEMPORARY REMOVAL)(?:\s+(?:ARTICLE|PAPER))?\s*[:\]]"
    r"|(?i:(?:editorial\s+)?retraction)\s*:"
    r"|(?i:(?:notice|statement)\s+of\s+retraction|retraction\s+(?:notice|note|statement))(?:\s*:|\s+(?:to|for)\b|\s*$)"
    r"|(?i:retraction)\s+(?:to|for|of)\s*:"
    r")"
)

OWN = r"(?:paper|article|submission|manuscript|preprint|e-?print)"
THING = rf"(?:{OWN}|work|document|contribution|note|letter|report)"
BACK = r"(?:temporarily\s+|now\s+|voluntarily\s+)?(?:withdrawn|retracted)\b"
OPENING = r"[\[(*\s]*"
WHOM = r"by\s+(?:the\s+)?(?:authors?|submitter|arxiv)\b"
WHY = r"(?:due|because|pending)\b"
# From a conference is not from its readers.
NOT_FROM = r"(?!\s+from\s+(?!(?:the\s+)?arxiv))"
# At the beginning of an abstract, anywhere in a comment: "This paper has been withdrawn".
SAID = (
    rf"{OPENING}(?:(?:this|the|our)\s+(?:\w+\s+)?{THING}|{OWN})\s+(?:has\s+been|was|is|is\s+being)\s+{BACK}{NOT_FROM}"
    # bioRxiv's words.
    rf"|{OPENING}the\s+authors?\s+(?:has|have)\s+withdrawn\s+(?:this|their|the)\s+{THING}\b{NOT_FROM}"
)
# Without a verb: "Withdrawn", "Paper withdrawn due to an error in Lemma 3".
NOTED = rf"{OPENING}(?:(?:this|the)\s+)?(?:{THING}\s+)?{BACK}(?=\W*$|\s+{WHOM}|\s+{WHY})"
# Further down in an abstract the sentence may speak of somebody else's paper, so it must say more.
SAID_BELOW = (
    rf"this\s+{THING}\s+(?:(?:has\s+been|is)\s+withdrawn(?:\s+{WHY}|\s*[.!]?$)"
    rf"|(?:has\s+been|is|was)\s+withdrawn\s+{WHOM})"
)
SENTENCE = r"(?:^|[.!?;:,)\]]\s+)"

ABSTRACT = re.compile(rf"^(?:{SAID}|{NOTED})|{SENTENCE}{OPENING}{SAID_BELOW}", re.IGNORECASE)
COMMENT = re.compile(
    rf"{SENTENCE}(?:{SAID}|{NOTED}|{OPENING}withdrawn\s+for\b)|^{OPENING}(?:{THING}\s+)?withdrawn\s*[.,;:!]",
    re.IGNORECASE,
)
MAX_COMMENT = 2_000


def is_taken_back(title: str, abstract: str = "", comment: str = "") -> bool:
    """Whether one of them says so; each is one line, the comment is the authors' at arXiv."""
    return bool(RETRACTED_TITLE.match(title) or ABSTRACT.search(abstract) or COMMENT.search(comment[:MAX_COMMENT]))
