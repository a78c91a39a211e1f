"""Baselines: the rows that a searched mixture must beat, made from the row itself.

All train on the same tasks and search the same other ranges with the same sampler and number of proposals, so that a
mixture is compared with what the same effort finds without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from stilts.study.mixture_schema import MaskedLm, NumberRange, Sampling, SearchedMaskedLm, SearchedSampling, Subset
from stilts.study.schema import Intermediate
from stilts.study.search_schema import BaselineName, Search

_SUFFIXES: Mapping[BaselineName, str] = MappingProxyType(
    {"proportional": "proportional", "uniform": "uniform", "temperature": "temperature2", "single": "single"}
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
    return {f"{row}-{_SUFFIXES[name]}": _baseline(content, search, name) for name in wanted}


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
