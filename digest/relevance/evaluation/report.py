"""Judgements -> a table: each method's figures, and how far ours stands above each baseline, with how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from digest.relevance.evaluation.metrics import interval, ndcg, recall
from digest.relevance.evaluation.protocols import OURS, Judgement

MANY_READERS = 10  # from so many on, readers are what is drawn anew for an interval; else their days


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one section. `difference` is our best method less this one, in nDCG@10, with its 95% interval."""

    section: str
    system: str
    units: int
    ndcg: float
    recall: float
    difference: float | None = None
    low: float = 0.0
    high: float = 0.0


def rows(judgements: Iterable[Judgement]) -> list[Row]:
    """A row for each method of each section, in the order they came. Where readers are few, a section a reader, and
    then all their days together, drawn one by one.
    """
    judged = list(judgements)
    readers = list(dict.fromkeys(one.reader for one in judged))
    few = len(readers) < MANY_READERS
    scores: dict[str, dict[str, dict[str, list[tuple[float, float]]]]] = defaultdict(lambda: defaultdict(dict))
    for one in judged:
        section = f"{one.reader}: {one.section}" if few else one.section
        score = ndcg(one.ranked, one.gains), recall(one.ranked, one.gains)
        scores[section][one.system].setdefault(one.unit if few else one.reader, []).append(score)
    if few and len(readers) > 1:
        scores |= _together(judged)
    return [row for section, systems in scores.items() for row in _section(section, systems)]


def _together(judged: Iterable[Judgement]) -> dict[str, dict[str, dict[str, list[tuple[float, float]]]]]:
    """The sections in which several readers were judged, with the methods that all of them have."""
    held: dict[str, dict[str, dict[str, list[tuple[float, float]]]]] = defaultdict(lambda: defaultdict(dict))
    readers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in judged:
        score = ndcg(one.ranked, one.gains), recall(one.ranked, one.gains)
        held[f"all together: {one.section}"][one.system][one.unit] = [score]
        readers[f"all together: {one.section}"][one.system].add(one.reader)
    together = {}
    for section, systems in held.items():
        most = max(len(names) for names in readers[section].values())
        if most > 1:
            together[section] = {name: of for name, of in systems.items() if len(readers[section][name]) == most}
    return together


def _section(section: str, systems: dict[str, dict[str, list[tuple[float, float]]]]) -> Iterable[Row]:
    means = {
        system: {unit: (fmean(a for a, _ in held), fmean(b for _, b in held)) for unit, held in units.items()}
        for system, units in systems.items()
    }
    lead = _lead(list(means))
    for system, units in means.items():
        own = fmean(a for a, _ in units.values()), fmean(b for _, b in units.values())
        if system == lead:
            yield Row(section, system, len(units), *own)
            continue
        differences = [means[lead][unit][0] - score for unit, (score, _) in units.items()]
        yield Row(section, system, len(units), *own, fmean(differences), *interval(differences))


def _lead(systems: list[str]) -> str:
    """Our whole ranking, of which the others of ours are parts."""
    ours = [system for system in systems if system.startswith(OURS)]
    return next((system for system in ours if system.endswith("lines and likes")), ours[0])


def as_text(name: str, table: list[Row]) -> Iterable[str]:
    """Lines for a terminal; also good Markdown."""
    yield f"## {name}"
    for section in dict.fromkeys(row.section for row in table):
        held = [row for row in table if row.section == section]
        yield f"\n{section} ({held[0].units} judged)\n"
        yield "| method | nDCG@10 | recall@20 | ours less this | 95% interval |"
        yield "|---|---|---|---|---|"
        for row in held:
            figures = f"| {row.system} | {row.ndcg:.3f} | {row.recall:.3f} |"
            if row.difference is None:
                yield f"{figures} | |"
            else:
                yield f"{figures} {row.difference:+.3f} | {row.low:+.3f} to {row.high:+.3f} |"
    yield ""
