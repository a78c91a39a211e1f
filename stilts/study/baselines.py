"""Baselines: the rows that a searched mixture must beat, made from the row itself.

All train on the same tasks and search the same other ranges with the same sampler and number of proposals, so that a
mixture is compared with what the same effort finds without it. ``none``, over which every gain is counted, is given as
many proposals too, over the targets' own settings (DESIGN rule 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from stilts.metrics.objectives import AVERAGE, GAIN, HURT
from stilts.study.mixture_schema import MaskedLm, NumberRange, Sampling, SearchedMaskedLm, SearchedSampling, Subset
from stilts.study.record import NONE_ROW
from stilts.study.schema import Intermediate
from stilts.study.search_schema import ADAPTER, NUMBERS, TARGET, BaselineName, Search

_SUFFIXES: Mapping[BaselineName, str] = MappingProxyType(
    {
        "proportional": "proportional",
        "uniform": "uniform",
        "temperature": "temperature2",
        "single": "single",
        "none": NONE_ROW,
    }
)
_TEMPERATURES: Mapping[str, float | Literal["uniform"]] = MappingProxyType(
    {"proportional": 1.0, "uniform": "uniform", "temperature": 2.0}
)
_OF_MIXTURES = {"weights", "subset", "temperature", "cap"}


def baseline_rows(row: str, content: Intermediate) -> dict[str, Intermediate]:
    """The baselines of a row by name, ``<row>-proportional`` and so on; none where it asks for none.

    ``single`` searches which one task is best. Where nothing but the mixture is searched, the others have one recipe
    each: they are fixed rows, with the replicates that fixed rows have. Conditions (``when``) that look at numbers of
    the mixture fall away.
    """
    search = content.search
    if search is None or search.baselines is None:
        return {}
    wanted = tuple(_SUFFIXES) if search.baselines is True else search.baselines
    return {f"{row}-{_SUFFIXES[name]}": _baseline(content, search, name) for name in wanted if name != NONE_ROW}


def searched_none(none: Intermediate, rows: Iterable[Intermediate]) -> Intermediate:
    """The row ``none`` with the search that the rows' baselines give it; as it is where it has one, or none is asked.

    It searches what the row with the most proposals searches of a target's training, or what that searches of its own
    training, as a target's: the same ranges for the same settings. A row that searches its mixture alone gives ``none``
    nothing to search.
    """
    given = [search for row in rows if (search := row.search) is not None and _includes_none(search)]
    asked = [search for search in given if _of_targets(search)]
    if none.search is not None or not asked:
        return none
    most = max(asked, key=lambda search: search.proposals)
    same = ("proposals", "sampler", "seeds", "racing", "confirm")
    changes = {"objective": _without_gain(most.objectives), **{name: getattr(most, name) for name in same}}
    return none.model_copy(update={"search": Search.model_validate(_of_targets(most) | changes)})


def _includes_none(search: Search) -> bool:
    return search.baselines is True or (search.baselines is not None and NONE_ROW in search.baselines)


def _of_targets(search: Search) -> dict[str, NumberRange]:
    """The ranges of a target's training: those that the row searches of targets, else those of its own training."""
    numbers = search.numbers()
    # An adapter of the row's says nothing of the targets: they may train all weights.
    training = {name: value for name, value in numbers.items() if not name.startswith(ADAPTER)}
    own = {f"{TARGET}{name}": value for name, value in training.items() if f"{TARGET}{name}" in NUMBERS}
    found = own | {name: value for name, value in numbers.items() if name.startswith(TARGET)}
    for one, other in ((f"{TARGET}steps", f"{TARGET}epochs"), (f"{TARGET}epochs", f"{TARGET}steps")):
        if one in numbers:  # a length that the row searches of targets stands for both
            found.pop(other, None)
    return found


def _without_gain(objectives: tuple[str, ...]) -> str | tuple[str, ...]:
    """The objectives that ``none`` can be searched for: it has no gain over itself, and hurts no language."""
    kept = tuple(AVERAGE if name in (GAIN, HURT) else name for name in objectives)
    distinct = tuple(dict.fromkeys(kept))
    return distinct[0] if len(distinct) == 1 else distinct


def _baseline(content: Intermediate, search: Search, name: BaselineName) -> Intermediate:
    tasks, others = search.mixture_tasks, set(search.searched()) - _OF_MIXTURES
    if name == "single":
        return _searched(content, search, others, subset=Subset(tasks=tasks, count=1))
    temperature = _TEMPERATURES[name]
    if others:
        return _searched(content, search, others, sampling=SearchedSampling(tasks=tasks, temperature=temperature))
    masked = content.masked_lm if search.masked_lm is None else _fixed(search.masked_lm)
    changes = {"search": None, "sampling": Sampling(tasks=tasks, temperature=temperature), "masked_lm": masked}
    return content.model_copy(update=changes)


def _searched(
    content: Intermediate,
    search: Search,
    others: set[str],
    *,
    sampling: SearchedSampling | None = None,
    subset: Subset | None = None,
) -> Intermediate:
    """The row with another mixture, and those of its conditions that still have something to look at."""
    kept = {
        field: {other: condition for other, condition in conditions.items() if other in others}
        for field, conditions in search.when.items()
        if field in others
    }
    changes = {
        "weights": None,
        "sampling": sampling,
        "subset": subset,
        "baselines": None,
        "when": {field: conditions for field, conditions in kept.items() if conditions},
    }
    return content.model_copy(update={"search": search.model_copy(update=changes)})


def _fixed(masked: SearchedMaskedLm) -> MaskedLm:
    """The masked LM of a row that searches neither its share nor its languages."""
    assert not isinstance(masked.weight, NumberRange) and len(masked.language_choices) < 2
    return MaskedLm(task=masked.task, weight=masked.weight, languages=next(iter(masked.language_choices), None))
