"""Forms that publishers, reference managers and mail servers write, and where they say so.

Links: the addresses of Silverchair's journals (Blood), Frontiers, SAGE, Cell Press, IOP, Springer and The Lancet.
Identifiers: the DOI Handbook (itself 10.1000/182) and Crossref's display guidelines; arXiv's help on identifiers and
on author identifiers. BibTeX: LaTeX2e's reference manual, biblatex (mkbibquote), hyperref (href), babel
(foreignlanguage), and what Zotero and Mendeley export. RIS: the specification of Research Information Systems (names,
several addresses). Replies: Yahoo's and Gmail's lists of SMTP errors, Postfix's reject_unknown_client_hostname, RFC
3463. Addresses: RFC 5321, 4.5.3.1.1. Formats that are not read: PubMed's, EndNote's and Web of Science's lists of
tags. Tables and JSON: pandas' to_csv, WordPress' REST interface.
"""

from __future__ import annotations

import pytest

from digest.papers.ingest.addresses import understood
from digest.papers.sources import kinds
from digest.papers.sources.identifiers import guessed_doi, named_in, stated_doi
from subscriptions.addresses import AddressError, read
from subscriptions.outcomes.meanings import BLOCKLISTED, DEAD, UNPROVEN_SENDER
from subscriptions.outcomes.replies import read_reply


@pytest.mark.parametrize(
    ("link", "doi"),
    [
        (
            "https://ashpublications.org/blood/article/doi/10.1182/blood.2021012345/477777/Kettles",
            "10.1182/blood.2021012345",
        ),
        ("https://www.frontiersin.org/journals/x/articles/10.3389/fnins.2026.123456/full", "10.3389/fnins.2026.123456"),
        ("https://journals.sagepub.com/doi/reader/10.1177/0956797620", "10.1177/0956797620"),
        ("https://www.cell.com/action/showPdf?pii=S0092", ""),
        ("https://iopscience.iop.org/article/10.1088/1742-6596/1234/1/012345/meta", ""),  # where it ends is not sure
        ("https://link.springer.com/chapter/10.1007/978-3-030-12345-6_7#Sec2", "10.1007/978-3-030-12345-6_7"),
        ("https://www.thelancet.com/journals/lancet/article/PIIS0140-6736/fulltext", ""),
    ],
)
def test_a_publishers_link_is_a_sure_guess_or_none(link: str, doi: str) -> None:
    assert (stated_doi(link), guessed_doi(link)) == ("", doi)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("https://www.doi.org/10.1000/182", ("", "10.1000/182")),
        ("(doi: 10.1000/182)", ("", "10.1000/182")),
        ("“arXiv:2401.12345v1”", ("2401.12345", "")),
    ],
)
def test_what_stands_round_an_identifier_is_no_part_of_it(text: str, named: tuple[str, str]) -> None:
    assert named_in(text) == named


@pytest.mark.parametrize(
    ("tex", "title"),
    [
        (r"{\v{C}}erenkov in {\r{A}}ngstr{\"o}m {\textmu}-kettles", "Čerenkov in Ångström µ-kettles"),
        (
            r"The 1\textsuperscript{st} \href{https://x.example}{kettle} of \mkbibquote{pots}",
            "The 1st kettle of “pots”",
        ),
        (r"Kettles \& Pots: 50\,\% \ldots{} off", "Kettles & Pots: 50 % … off"),
        (r"{\bfseries Bold} {\itshape kettles} \cite{a}", "Bold kettles"),
        (r"{\LaTeX} and \foreignlanguage{ngerman}{Kessel} in \textcolor{red}{iron}", "LaTeX and Kessel in iron"),
        (r"`Single' kettles aren't ``double''", "‘Single’ kettles aren't “double”"),
    ],
)
def test_bibliographies_keep_their_signs(tex: str, title: str) -> None:
    assert kinds.parse(f"@misc{{a,\n title={{{tex}}}}}", "bibtex").listings[0].title == title


@pytest.mark.parametrize(
    ("code", "reply", "meaning"),
    [
        (554, "delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]", DEAD),
        (550, "5.7.1 Message rejected: no reverse DNS for 192.0.2.1", BLOCKLISTED),
        (550, "5.7.25 The IP address sending this message does not have a PTR record setup", UNPROVEN_SENDER),
        (450, "4.7.25 Client host rejected: cannot find your reverse hostname", BLOCKLISTED),
        (550, "5.1.1 The email account that you tried to reach does not exist", DEAD),
    ],
)
def test_servers_words_are_understood(code: int, reply: str, meaning: object) -> None:
    assert read_reply(code, reply) is meaning


def test_a_local_part_has_64_characters_at_most() -> None:
    assert read("a" * 64 + "@example.org")
    with pytest.raises(AddressError, match="before the @-sign"):
        read("a" * 66 + "@example.org")


@pytest.mark.parametrize(
    "typed", ["https://arxiv.org/a/warner_s_1.atom2", "arxiv.org/a/warner_s_1", "arxiv.org/a/warner_s_1.atom"]
)
def test_an_arxiv_authors_list_is_a_source(typed: str) -> None:
    assert understood(typed).url == "https://arxiv.org/a/warner_s_1.atom2"


@pytest.mark.parametrize(
    ("page", "says"),
    [("PMID- 1\nTI  - Kettles\n", "nbib"), ("%0 Journal Article\n%T Kettles\n", "enw"), ("FN Clarivate\n", "tagged")],
)
def test_a_format_that_is_not_read_is_named(page: str, says: str) -> None:
    with pytest.raises(kinds.SourceError, match=says):
        kinds.detect(page)


@pytest.mark.parametrize(
    ("page", "facts"),
    [
        ('title,authors,doi\nKettles,"[\'Ada Byron\', ""Bo O\'Neil""]",nan\n', (("Ada Byron", "Bo O'Neil"), "")),
        ('title,authors,doi\nKettles,"[""Ada Byron"", ""Li Wei""]",N/A\n', (("Ada Byron", "Li Wei"), "")),
        ('title,authors,"note, with comma",doi\nKettles,Ada Byron,x,10.1000/x\n', (("Ada Byron",), "10.1000/x")),
        ('[{"title":{"rendered":"Kettles"},"authors":["Ada Byron"]}]', (("Ada Byron",), "")),
        ("TY  - JOUR\nTI  - Kettles\nAU  - Byron,Ada,Jr.\nER  - \n", (("Ada Byron, Jr.",), "")),
    ],
)
def test_records_are_read_as_programs_write_them(page: str, facts: tuple[tuple[str, ...], str]) -> None:
    (listing,) = kinds.parse(page).listings
    assert (listing.title, listing.authors, listing.doi) == ("Kettles", *facts)


def test_of_several_addresses_in_a_line_of_ris_the_first_is_the_link() -> None:
    page = "TY  - JOUR\nTI  - Kettles\nUR  - https://a.example/1;x=2; https://a.example/2\nER  - \n"
    assert kinds.parse(page).listings[0].url == "https://a.example/1;x=2"
