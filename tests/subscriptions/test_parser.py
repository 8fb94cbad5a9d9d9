"""The interest language: a line in, its parts out, or an error that points at the place and proposes the mend."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Pin, Prefix, Text, Word, is_mute, is_pin
from subscriptions.interests.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, InterestError, parse, reread

# --- the table of DESIGN.md, line by line
TABLE: list[tuple[str, Node]] = [
    ("diffusion", Word("diffusion")),
    ("retrieval augmented generation", And((Word("retrieval"), Word("augmented"), Word("generation")))),
    ('"chain of thought"', Phrase(("chain", "of", "thought"))),
    ("quantization OR pruning", Or((Word("quantization"), Word("pruning")))),
    ("agents -robotics", And((Word("agents"), Not(Word("robotics"))))),
    ("-survey", Not(Word("survey"))),
    ("title:benchmark", Field("title", Word("benchmark"))),
    ('author:"Yann LeCun"', Field("author", Text("yann lecun"))),
    ("category:cs.CL", Field("category", Text("cs.cl"))),
    ("source:huggingface", Field("source", Text("huggingface"))),
    ("multimod*", Prefix("multimod")),
    ('(a OR b) "c d" -e', And((Or((Word("a"), Word("b"))), Phrase(("c", "d")), Not(Word("e"))))),
    ('!"state space model"', Pin(Phrase(("state", "space", "model")))),
    ("title:(x OR y)", Field("title", Or((Word("x"), Word("y"))))),
    ('title:"c d"', Field("title", Phrase(("c", "d")))),
    ("title:multimod*", Field("title", Prefix("multimod"))),
    ("title:a", Field("title", Word("a"))),
    ('-author:"X Y"', Not(Field("author", Text("x y")))),
    ("-category:cs.CV", Not(Field("category", Text("cs.cv")))),
    ("-title:survey", Not(Field("title", Word("survey")))),
]


@pytest.mark.parametrize("line, node", TABLE, ids=[line for line, _ in TABLE])
def test_it_reads_every_line_of_the_table(line: str, node: Node) -> None:
    assert parse(line) == node
    assert parse(str(node)) == node


@pytest.mark.parametrize("line, printed", [
    ("vision/language", '"vision language"'),
    ("vision | language", "vision OR language"),
    ("vision or language", "vision OR language"),
    ("vision AND language", "vision language"),
    ("vision and language", "vision language"),
    ("vision NOT language", "vision -language"),
    ("vision NOT (language OR audio)", "vision -language -audio"),
    ("vision –language", "vision -language"),
    ("“chain of thought”", '"chain of thought"'),
    ("«chain of thought»", '"chain of thought"'),
    ("(((vision)))", "vision"),
    ("the art of pruning", "art pruning"),
    ("pruning pruning", "pruning"),
    ("vision OR audio -survey", "(vision OR audio) -survey"),
    ("vision OR (audio -survey)", "vision OR (audio -survey)"),
    ("TITLE:Benchmark", "title:benchmark"),
    ('author:"O(n) Lab"', 'author:"o(n) lab"'),
    ('author:"O(n)"', 'author:"o(n)"'),
    ("author:O'Neil", "author:o'neil"),
    ("title:multimod*", "title:multimod*"),
    ("-title:survey", "-title:survey"),
    ('-"position paper"', '-"position paper"'),
    ("GPT-4", '"gpt 4"'),
    # the habits of other search engines
    ("vision Or language", "vision OR language"),
    ("vision || language", "vision OR language"),
    ("vision|language", "vision OR language"),
    ("vision && language", "vision language"),
    ("vision & language", "vision language"),
    ("vision + language", "vision language"),
    ("+vision +language", "vision language"),
    ("vision AND NOT language", "vision -language"),
    ("vision ANDNOT language", "vision -language"),
    ("vision —language", "vision -language"),
    ("（vision　OR　audio）－survey", "(vision OR audio) -survey"),
    ("ｔｉｔｌｅ：ｖｉｓｉｏｎ", "title:vision"),
    ("what is RAG?", "rag"),
    ("what is RAG ?", "rag"),
    ("vision / audio", "vision audio"),
    ("Mamba: State Spaces", "mamba state spaces"),
    ("articles: anything new", "articles anything new"),
    ("is there a similar, analytical solution of the blast wave problem .",
     "similar analytical solution blast wave problem"),
    ("diffusion,", "diffusion"),
    ("1,000 agents", '"1 000" agents'),
    ("c++ OR c#", "c++ OR c#"),
    # brackets and exclusions
    ("vision -(language OR audio)", "vision -language -audio"),
    ("-(-vision)", "vision"),
    ("-(-vision -audio)", "vision OR audio"),
    ("-(vision audio)", "-(vision audio)"),
    ("vision OR audio -(survey OR review)", "(vision OR audio) -survey -review"),
    ("-survey vision OR audio", "(-survey vision) OR audio"),
    # fields
    ("title:fine title:tuning", "title:(fine tuning)"),
    ("title:vision OR audio OR title:language", "title:(vision OR language) OR audio"),
    ("title:(fine tuning -survey)", "title:(fine tuning) -title:survey"),
    ("-title:(vision OR audio)", "-title:vision -title:audio"),
    ("title:(-vision) audio", "-title:vision audio"),
    ("title:the title:art", "title:art"),
    ("author:(Yann LeCun OR Hinton)", 'author:"yann lecun" OR author:hinton'),
    ("author:(LeCun -Bengio)", "author:lecun -author:bengio"),
    ("author:(Prof: LeCun)", 'author:"prof: lecun"'),
    ('author:"Schölkopf, B."', 'author:"schölkopf, b."'),
    ("category:(cs.CL OR stat.ML)", "category:cs.cl OR category:stat.ml"),
    ("category:cs.*", "category:cs"),
    ("source:arxiv-cs", "source:arxiv-cs"),
    # pins
    ("!mamba -vision", "!mamba -vision"),
    ("! mamba OR vision", "!mamba OR vision"),
    ("!!mamba", "!mamba"),
    ("！mamba", "!mamba"),
])  # fmt: skip
def test_it_has_one_printed_form(line: str, printed: str) -> None:
    assert str(parse(line)) == printed
    assert str(reread(printed)) == printed


@pytest.mark.parametrize("line, mute", [
    ("-survey", True), ("-survey -review", True), ('-"position paper"', True), ("-(survey OR review)", True),
    ("-title:survey", True), ("-author:lecun -category:cs.CV", True),
    ("agents -survey", False), ("agents", False), ("!agents", False), ("-survey OR agents -x", None),
])  # fmt: skip
def test_a_line_of_exclusions_alone_mutes(line: str, mute: bool | None) -> None:
    if mute is None:
        with pytest.raises(InterestError):
            parse(line)
    else:
        assert is_mute(parse(line)) is mute


@pytest.mark.parametrize(
    "line, pin", [("!mamba", True), ("!mamba OR rwkv -survey", True), ("mamba", False), ("-x", False)]
)
def test_a_line_that_begins_so_pins(line: str, pin: bool) -> None:
    assert is_pin(parse(line)) is pin


# --- mistakes
MISTAKES: list[tuple[str, str, int, str]] = [
    # quotes and brackets
    ('deep "chain of', "never closed", 5, 'deep "chain of"'),
    ("deep “chain of", "never closed", 5, 'deep "chain of"'),
    ("(vision OR audio", "bracket is never closed", 0, "(vision OR audio)"),
    ("((vision OR audio", "bracket is never closed", 1, "((vision OR audio))"),
    ("vision) audio", "never opened", 6, "vision audio"),
    (") vision", "never opened", 0, "vision"),
    ("vision ()", "nothing in brackets", 7, "vision"),
    ("vision title:()", "nothing in brackets", 7, "vision"),
    ("vision (", "missing at the end", 8, "vision"),
    ("[vision OR audio] agents", "round", 0, "(vision OR audio) agents"),
    ("'chain of thought' agents", "double quotes", 0, '"chain of thought" agents'),
    ("‘chain of thought’", "double quotes", 0, '"chain of thought"'),
    ('"" vision', "no word in these quotes", 0, "vision"),
    # OR, AND, NOT, minus
    ("vision OR", "both sides", 7, "vision"),
    ("OR vision", "both sides", 0, "vision"),
    ("vision | | audio", "both sides", 7, "vision | audio"),
    ("vision OR OR audio", "both sides", 7, "vision OR audio"),
    ("(vision OR ) audio", "both sides", 8, "(vision) audio"),
    ("((vision OR", "both sides", 9, "((vision))"),
    ("vision OR -audio", "only excluded", 7, "vision -audio"),
    ("AND", "missing at the end", 3, ""),
    ("vision NOT", "Nothing stands behind this NOT", 7, "vision"),
    ("vision -(OR", "both sides", 9, "vision"),
    ("--vision", "One sign is enough", 0, "-vision"),
    ("agents --- robotics", "One sign is enough", 7, "agents -robotics"),
    ("agents NOT -robotics", "One sign is enough", 7, "agents -robotics"),
    ("-(vision -audio)", "another exclusion", 9, "-(vision)"),
    ("agents -(vision OR (audio -text))", "another exclusion", 26, "agents -(vision OR audio)"),
    ("agents - robotics", "right before", 7, "agents -robotics"),
    ("- robotics", "right before", 0, "-robotics"),
    # pins
    ("!-survey", "only keeps papers away", 0, "-survey"),
    ("agents !robotics", "stands at its beginning", 7, "agents -robotics"),
    ("!", "missing at the end", 1, ""),
    # words
    ("the of", "in every paper", 0, '"the of"'),
    ("the", "in every paper", 0, ""),
    ("title:the", "in every paper", 0, ""),
    ("vision OR the", "in every paper", 10, "vision"),
    ("(the) vision", "in every paper", 1, "vision"),
    ("vision -the", "in every paper", 7, "vision"),
    ("the -survey", "in every paper", 0, "-survey"),
    ("   the   -survey   of", "in every paper", 3, "-survey"),
    ("vision @ audio", "no word in “@”", 7, "vision audio"),
    ("…", "no word in “…”", 0, ""),
    ("🤖", "no word", 0, ""),
    ("vision ab* audio", "at least 3 letters", 7, "vision ab audio"),
    ("vision a-b* audio", "one word", 7, "vision a-b audio"),
    ("multi*modal", "one word", 0, "multi*"),
    ("*modal", "one word", 0, "modal"),
    ('"multi modal*"', "outside quotes", 0, '"multi modal"'),
    ("mamba^2 rwkv", "no weights", 5, "mamba rwkv"),
    ('"state space"~3', "no weights", 13, '"state space"'),
    # fields
    ("agents titel:benchmark", "no field", 7, "agents title:benchmark"),
    ("auther:LeCun", "no field", 0, "author:LeCun"),
    ("ti:mamba au:Gu", "no field", 0, "title:mamba author:Gu"),
    ("always:mamba", "no field", 0, "!mamba"),
    ("never:survey", "no field", 0, "-survey"),
    ("Mamba:State-Spaces", "no field", 0, "Mamba State-Spaces"),
    ("titles: benchmark", "no field", 0, "title:benchmark"),
    ("vision title:", "Nothing stands behind", 7, "vision"),
    ('author:"" vision', "Nothing stands behind", 0, "vision"),
    ("title:", "Nothing stands behind", 0, ""),
    ("title: mamba", "No blank", 0, "title:mamba"),
    ("title: state space -survey", "No blank", 0, "title:(state space) -survey"),
    ("author: Yann LeCun", "No blank", 0, 'author:"Yann LeCun"'),
    ("vision title:-survey", "goes before the field", 7, "vision -title:survey"),
    ("title:(author:gu)", "already a field", 7, "title:(gu)"),
    ("category:cs.C*", "takes no *", 9, "category:cs"),
    ("author:LeC*", "takes no *", 7, "author:LeC"),
    ("author:LeCun, Y.", "in quotes", 7, 'author:"LeCun, Y."'),
    ("author:LeCun, Yann agents", "in quotes", 7, 'author:"LeCun, Yann" agents'),
    ("reasoning cs.CL", "needs its field", 10, "reasoning category:cs.CL"),
    ("category:cs.CL,cs.LG", "needs its field", 15, "category:cs.CL\ncategory:cs.LG"),
    # lists
    ("diffusion, rl, agents", "one interest a line", 9, "diffusion\nrl\nagents"),
    ("diffusion,rl; and agents", "one interest a line", 9, "diffusion\nrl\nagents"),
    ("diffusion、agents", "one interest a line", 9, "diffusion\nagents"),
    ("!mamba, rwkv", "one interest a line", 6, "!mamba\n!rwkv"),
    ('"a, b" c, diffusion', "one interest a line", 8, '"a, b" c\ndiffusion'),
    ("agents, -robotics", "leave them out", 6, "agents -robotics"),
    ("(image, video) generation", "write OR", 6, "(image OR video) generation"),
    ("* diffusion", "no bullet", 0, "diffusion"),
    ("2. diffusion", "no bullet", 0, "diffusion"),
    # pasted
    ("https://arxiv.org/abs/2310.06825", "address of a page", 0, ""),
    ("see http://x.org vision", "address of a page", 4, "see vision"),
    ("https://arxiv.org/list/cs.CL/recent", "address of a page", 0, "category:cs.CL"),
    ("2310.06825v2", "one paper", 0, ""),
    ("mamba arXiv:2312.00752", "one paper", 6, "mamba"),
    ("hep-th/9901001", "one paper", 0, ""),
    ("10.1145/3292500.3330701", "one paper", 0, ""),
    ("vis\u200bion", "invisible", 3, "vision"),
    ("vis\u202eion", "invisible", 3, "vision"),
    ("vis\xadion", "invisible", 3, "vision"),
    ("vis\x00ion", "invisible", 3, "vision"),
    ("vis\ud800ion", "invisible", 3, "vision"),
    # too much, too little
    ("", "empty", 0, ""),
    ("   ", "empty", 0, ""),
    ("(" * 9 + "x" + ")" * 9, "brackets inside", 8, "x"),
    ("x " * 61, "60 words", 120, "x"),
    ("x" * 501, "501 characters", 500, ""),
    ("é" * 501, "501 characters", 500, ""),
    ("e\u0301" * 251, "502 characters", 500, "e" * 251),
    ("vision " * 300, "2100 characters", 500, ""),
]  # fmt: skip


@pytest.mark.parametrize("line, message, position, suggestion", MISTAKES, ids=[ascii(row[0][:24]) for row in MISTAKES])
def test_a_mistake_is_pointed_at(line: str, message: str, position: int, suggestion: str) -> None:
    with pytest.raises(InterestError) as caught:
        parse(line)
    error = caught.value
    assert message in error.message
    assert (error.position, error.suggestion) == (position, suggestion)
    assert error.position <= error.end <= max(len(line), MAX_LENGTH)
    assert f"at character {position + 1}" in str(error)


@pytest.mark.parametrize("suggestion", [row[3] for row in MISTAKES if row[3]])
def test_what_is_suggested_can_be_read(suggestion: str) -> None:
    assert all(parse(line) for line in suggestion.split("\n"))


@pytest.mark.parametrize("line, marked", [
    ("agents titel:benchmark", "titel:"), ("vision -the", "-the"), ('deep "chain of ', '"chain of'),
    ("(vision OR audio", "("), ("see http://x.org/y vision", "http://x.org/y"), ("vision ()", "()"),
    ("author: Yann LeCun", "author: Yann LeCun"), ("vision OR", "OR"), ("vision ab* audio", "ab*"),
])  # fmt: skip
def test_what_is_wrong_is_marked_to_its_end(line: str, marked: str) -> None:
    with pytest.raises(InterestError) as caught:
        parse(line)
    assert line[caught.value.position : caught.value.end] == marked


def test_several_mistakes_are_mended_at_once() -> None:
    with pytest.raises(InterestError) as caught:
        parse('(titel:vision OR the, "chain of')
    assert caught.value.suggestion == '(title:vision OR "chain of")'


def test_alternatives_that_are_too_many_go_on_several_lines() -> None:
    words = [f"word{number}" for number in range(100)]
    with pytest.raises(InterestError) as caught:
        parse(f"({' OR '.join(words)}) -survey")
    lines = caught.value.suggestion.split("\n")
    assert len(lines) > 1
    assert all(line.endswith(" -survey") for line in lines)
    assert [word.strip("()") for line in lines for word in line.split() if "word" in word] == words


def test_limits_are_kept_to_the_letter() -> None:
    assert parse("x" * MAX_LENGTH)
    assert parse("x " * MAX_TERMS)
    assert parse("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH)


def test_a_printed_line_may_be_longer_than_what_may_be_typed() -> None:
    node = parse(" ".join(f"{number}-abcd" for number in range(60)))
    assert len(str(node)) > MAX_LENGTH
    assert reread(str(node)) == node


@pytest.mark.parametrize("printed", ["author:lecun,", "-(vision OR audio)", "title:(vision -audio)", "cs.cl"])
def test_what_was_printed_before_is_still_read(printed: str) -> None:
    assert reread(printed)


# --- any line
WORDS = st.sampled_from(
    [
        "diffusion",
        "Models",
        "fine-tuning",
        "état",
        "LLMs",
        "c++",
        "3.5",
        "of",
        "OR-gate",
        "x",
        "½",
        "한국어",
        "Müller's",
    ]
)
PHRASES = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"')
FIELDS = st.builds(
    "{}:{}".format,
    st.sampled_from(["title", "author", "category", "source", "Title"]),
    st.one_of(st.sampled_from(["cs.CL", "LeCun", "x-y", "O'Neil"]), PHRASES, st.just('"a (b) [c]"')),
)
PREFIXES = st.sampled_from(["multi*", "Éta*", "quant*"])
TERMS = st.one_of(WORDS, WORDS, PHRASES, FIELDS, PREFIXES)


def _bracketed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.lists(inner, min_size=1, max_size=3).map(" ".join)
    either = st.lists(group, min_size=1, max_size=3).map(" OR ".join)
    return st.builds("({}{})".format, either, st.one_of(st.just(""), TERMS.map(" -{}".format)))


WANTED = st.recursive(TERMS, _bracketed, max_leaves=12)
LINES = st.builds(
    lambda either, out: " ".join([" OR ".join(either), *(f"-{term}" for term in out)]),
    st.lists(WANTED, min_size=1, max_size=3),
    st.lists(WANTED, max_size=2),
)
PIECES = st.lists(
    st.sampled_from(
        [
            *'abc()"-*:|!+&,;[]{}^~. ',
            "OR ",
            "NOT ",
            " and ",
            "vision",
            "title:",
            "author:",
            "category:",
            "x-y",
            "é",
            "ﹰ",
            "⑴",
            '"or"',
            "cs.CL",
            "http://x ",
            "2310.06825",
            "1. ",
            "'a b'",
            "the ",
            "、",
            "（",
            "—",
            "titel:",
            "LeCun, Y.",
        ]
    ),
    max_size=25,
).map("".join)


@settings(deadline=None)
@given(LINES)
@example('-author:"a (b)" x')
def test_what_is_printed_reads_back_as_the_same(line: str) -> None:
    try:
        node = parse(line)
    except InterestError as error:
        assume(not any(said in error.message for said in ("in every paper", "another exclusion", "are the most")))
        raise
    assert reread(str(node)) == node


@settings(deadline=dt.timedelta(seconds=2), max_examples=300)
@given(st.one_of(st.text(max_size=600), PIECES))
@example("-" * 500)
@example("-" * 499 + "x")
@example("(" * 500)
@example("-(" * 250)
@example("x:" * 250)
@example('"' * 499)
@example("ﷺ" * 500)
@example("NOT " * 60)
@example('author:"or"')
@example('author:"+x" source:"_y" category:"-z"')
@example("ﹰ++0")
@example("ﹰ++")
def test_any_text_is_read_or_refused_at_a_place(line: str) -> None:
    try:
        node = parse(line)
    except InterestError as error:
        length = len(unicodedata.normalize("NFC", line))
        assert 0 <= error.position <= error.end <= max(length, MAX_LENGTH)
        assert error.message
        assert all(parse(suggested) for suggested in error.suggestion.split("\n") if error.suggestion)
    else:
        assert reread(str(node)) == node


def test_naughty_strings_are_read_or_refused(shared_data: Path) -> None:
    file = shared_data / "hostile" / "blns" / "blns.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    strings = json.loads(file.read_text(encoding="utf-8"))
    outcomes = {True: 0, False: 0}
    for string in strings:
        try:
            node = parse(string)
            assert reread(str(node)) == node
            outcomes[True] += 1
        except InterestError:
            outcomes[False] += 1
    assert outcomes[True] > 100
    assert outcomes[False] > 50
