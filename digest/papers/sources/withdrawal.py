"""Whether a source says that a paper was taken back: in its title, or in a sentence of its abstract or comment.

Strict on purpose: a paper about retractions, or one withdrawn from a conference, stays.
"""

from __future__ import annotations

import re

# Prefixes as publishers write them. "Withdrawn:" may be a word of the title and counts in capitals only.
RETRACTED_TITLE = re.compile(
    r"\W{0,2}(?:"
    r"(?i:retracted(?: (?:article|paper|chapter))?) ?[:\]\u2013\u2014]"
    r"|(?:WITHDRAWN|REMOVED|TEMPORARY REMOVAL)(?: (?:ARTICLE|PAPER))? ?[:\]]"
    r"|(?i:(?:editorial )?retraction) ?:"
    r"|(?i:(?:notice|statement) of retraction|retraction (?:notice|note|statement))(?: ?:| (?:to|for)\b| ?$)"
    r"|(?i:retraction) (?:to|for|of) ?:"
    r")"
)

OWN = r"(?:paper|article|submission|manuscript|preprint|e-?print)"
THING = rf"(?:{OWN}|work|document|contribution|note|letter|report)"
BACK = r"(?:temporarily |now |voluntarily )?(?:withdrawn|retracted)\b"
OPENING = r"[\[(* ]*"
WHOM = r"by (?:the )?(?:authors?|submitter|arxiv)\b"
WHY = r"(?:due|because|pending)\b"
# From a conference is not from its readers.
NOT_FROM = r"(?! from (?!(?:the )?arxiv))"
# At the beginning of an abstract, anywhere in a comment: "This paper has been withdrawn".
SAID = (
    rf"{OPENING}(?:(?:this|the|our) (?:\w+ )?{THING}|{OWN}) (?:has been|was|is|is being) {BACK}{NOT_FROM}"
    # bioRxiv's words.
    rf"|{OPENING}the authors? (?:has|have) withdrawn (?:this|their|the) {THING}\b{NOT_FROM}"
)
# Without a verb: "Withdrawn", "Paper withdrawn due to an error in Lemma 3".
NOTED = rf"{OPENING}(?:(?:this|the) )?(?:{THING} )?{BACK}(?=\W*$| {WHOM}| {WHY})"
# Further down in an abstract the sentence may speak of somebody else's paper, so it must say more.
SAID_BELOW = (
    rf"this {THING} (?:(?:has been|is) withdrawn(?: {WHY}| ?[.!]?$)"
    rf"|(?:has been|is|was) withdrawn {WHOM})"
)
SENTENCE = r"(?:^|[.!?;:,)\]] )"

ABSTRACT = re.compile(rf"^(?:{SAID}|{NOTED})|{SENTENCE}{OPENING}{SAID_BELOW}", re.IGNORECASE)
COMMENT = re.compile(
    rf"{SENTENCE}(?:{SAID}|{NOTED}|{OPENING}withdrawn for\b)|^{OPENING}(?:{THING} )?withdrawn ?[.,;:!]",
    re.IGNORECASE,
)
MAX_COMMENT = 2_000


def is_taken_back(title: str, abstract: str = "", comment: str = "") -> bool:
    """Whether one of them says so; each is one line, the comment is the authors' at arXiv."""
    return bool(RETRACTED_TITLE.match(title) or ABSTRACT.search(abstract) or COMMENT.search(comment[:MAX_COMMENT]))
