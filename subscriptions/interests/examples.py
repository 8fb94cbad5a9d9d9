"""The language by examples: what the help page shows and the tests hold true. The papers are invented."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """As much of a paper as an example needs."""

    title: str
    abstract: str = ""
    author: str = ""
    category: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A line, what it means (translated when it is shown), a paper it speaks of and one it does not."""

    line: str
    means: str
    yes: Paper
    no: Paper


@dataclass(frozen=True, slots=True)
class Section:
    """Examples of one kind; `verdict` is what happens to the papers they speak of."""

    title: str
    verdict: str
    examples: tuple[Example, ...]


def _titles(line: str, means: str, yes: str, no: str) -> Example:
    return Example(line, means, Paper(title=yes), Paper(title=no))


SECTIONS = (
    Section(
        _("Words"),
        _("finds"),
        (
            _titles(
                "diffusion",
                _("The word, in the title or the abstract. Capitals, accents, plurals and endings make no difference."),
                "Weather from Diffusion Models",
                "A Fusion Reactor That Lasts",
            ),
            _titles(
                "diffusion model",
                _("All the words, in any order. Next to each other they count more."),
                "Models of Rain, Made by Diffusion",
                "A Language Model for Rain",
            ),
            _titles(
                '"chain of thought"',
                _("Quotes keep words in a row."),
                "Chain-of-Thought Chess",
                "A Thought on Supply Chains",
            ),
            _titles(
                "fine-tuning",
                _("A hyphen, a blank or nothing between: all the same."),
                "Finetuned on a Laptop",
                "Tuning Pianos Is a Fine Art",
            ),
            _titles(
                "multimod*",
                _("Words that begin so; three letters at least."),
                "Multimodality at Sea",
                "A Modest Multiplier",
            ),
            _titles(
                "LLM",
                _("Common abbreviations and their long forms find each other."),
                "Large Language Models at School",
                "A Large Atlas of Languages",
            ),
        ),
    ),
    Section(
        _("Together"),
        _("finds"),
        (
            _titles("quantization OR pruning", _("Either."), "Pruned to the Bone", "Distilled, Not Stirred"),
            _titles(
                "agents -robotics",
                _("The first without the second."),
                "Agents That Book Trains",
                "Agents for Kitchen Robots",
            ),
            _titles(
                "(image OR video) generation",
                _("Brackets keep alternatives together."),
                "Generating Video from a Sketch",
                "Image Search on a Phone",
            ),
            _titles(
                "diffusion OR flow -survey",
                _("OR divides the whole line, and an exclusion at its end holds for all of it."),
                "Flow Matching for Maps",
                "Diffusion: A Survey",
            ),
        ),
    ),
    Section(
        _("Fields"),
        _("finds"),
        (
            Example(
                "title:benchmark",
                _('In the title only. Also title:"a phrase", title:bench* and title:(one OR another).'),
                Paper(title="A Benchmark of Patience"),
                Paper(title="On Patience", abstract="We add a benchmark."),
            ),
            Example(
                'author:"Yann LeCun"',
                _("However the name is written: LeCun, Y. too. One word, author:lecun, finds all of that name."),
                Paper(title="Energy Everywhere", author="LeCun, Y."),
                Paper(title="Energy Elsewhere", author="Y. Smith"),
            ),
            Example(
                "category:cs.CL",
                _("arXiv's category; category:cs is all of cs."),
                Paper(title="Words in Time", category="cs.CL"),
                Paper(title="Stars in Time", category="astro-ph.GA"),
            ),
            Example(
                "source:huggingface",
                _("Where the paper was listed."),
                Paper(title="Small Hands", source="huggingface"),
                Paper(title="Small Feet", source="arxiv-cs-cl"),
            ),
        ),
    ),
    Section(
        _("Never"),
        _("keeps away"),
        (
            _titles(
                "-survey",
                _("A line that only excludes holds for the whole mail, whatever other lines find."),
                "Agents: A Survey",
                "Agents at Work",
            ),
            Example(
                "-title:benchmark -category:cs.CV",
                _("One such line may keep away several things; fields are fine."),
                Paper(title="Cats, Counted", category="cs.CV"),
                Paper(title="Cats, Heard", category="cs.SD"),
            ),
        ),
    ),
    Section(
        _("Always"),
        _("comes first"),
        (
            _titles(
                '!"state space model"',
                _("A line that begins with ! puts its papers at the top of every mail, whatever their points."),
                "State-Space Models on a Watch",
                "A Model of the State of Space",
            ),
            Example(
                '!author:"Ada Lovelace" -survey',
                _("Everything else may stand behind the !, and holds for that line."),
                Paper(title="Notes on an Engine", author="A. Lovelace"),
                Paper(title="A Survey of Engines", author="Ada Lovelace"),
            ),
        ),
    ),
)

# What other search engines write, and what it is here.
HABITS = (
    ("vision AND language", "vision language"),
    ("vision NOT language", "vision -language"),
    ("vision | language", "vision OR language"),
    ("+vision +language", "vision language"),
    ("“chain of thought”", '"chain of thought"'),
    ("category:(cs.CL OR cs.LG)", "category:cs.CL OR category:cs.LG"),
)

# What we ask back about, and what we propose.
MENDS = (
    ("diffusion, rl, agents", "diffusion\nrl\nagents"),
    ("titel:benchmark", "title:benchmark"),
    ('deep "chain of thought', 'deep "chain of thought"'),
    ("author: Yann LeCun", 'author:"Yann LeCun"'),
    ("cs.CL", "category:cs.CL"),
    ("(image OR video generation", "(image OR video generation)"),
)
