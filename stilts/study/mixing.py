"""Mixing: from what a row and a proposal say to the tasks of a recipe with their shares of optimizer steps.

Every share is a multiple of 0.01 and they sum to 1 (DESIGN rule 7); only a mixture that a study writes down itself
stands as it is written. No data is read here: sizes are asked for where shares depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from stilts.errors import InputError
from stilts.fingerprint import Json
from stilts.study.mixture_schema import MaskedLm, NumberRange, SearchedMaskedLm
from stilts.study.record import NONE_ROW
from stilts.study.schema import Intermediate
from stilts.study.search_schema import LANGUAGES
from stilts.study.search_space import round_weights

Temperature: TypeAlias = float | Literal["uniform"]
# The number of training examples of a task.
SizeOf = Callable[[str], int]


def by_size(sizes: Mapping[str, int], *, temperature: Temperature = 1.0, cap: float | None = None) -> dict[str, float]:
    """Shares in proportion to min(size, cap) to the power 1 / temperature, rounded to 0.01; ``uniform``: equal ones.

    1 / temperature is the exponent of multilingual BERT's sampling (Devlin et al. 2019, github.com/google-research/
    bert, multilingual.md: 0.7); with the cap it is Raffel et al. 2020 (arXiv 1910.10683), section 3.5.2, and
    jiant's ExamplesCap and Temperature sampling (Phang et al. 2020). A task whose share rounds to 0 is left out.
    InputError where no task has an example.
    """
    if temperature == "uniform":
        return round_weights(dict.fromkeys(sizes, 1.0))
    largest = max(sizes.values())
    if largest <= 0:
        raise InputError(
            f"shares by size of {', '.join(sizes)}", "none of them has training examples", "", "Give a mixture"
        )
    # Relative to the largest: a size to the power of 100 would be no float.
    ceiling = largest if cap is None else min(largest, cap)
    return round_weights({task: (min(size, ceiling) / ceiling) ** (1 / temperature) for task, size in sizes.items()})


def beside(mixture: Mapping[str, float], task: str, share: float) -> dict[str, float]:
    """The mixture scaled to leave one more task this share (rounded to 0.01): the same mixture where that is 0."""
    share = round(share, 2)
    if not share:
        return dict(mixture)
    return {**(round_weights(mixture, total=1.0 - share) if share < 1.0 else {}), task: share}


def row_tasks(row: str, content: Intermediate) -> tuple[str, ...]:
    """Every task that a recipe of the row may train on, in the order of its mixture; none for ``none``.

    InputError where masked LM would stand beside itself.
    """
    if row == NONE_ROW:
        return ()
    own = _own_tasks(row, content)
    masked = _masked_lm(content)
    if masked is None:
        return own
    if masked.task in own:
        raise InputError(
            f'masked_lm.task "{masked.task}"',
            "it is already a task of the row",
            "Its share would be given twice",
            "Leave it out of the row's own tasks",
        )
    return (*own, masked.task)


def is_mixture_searched(content: Intermediate) -> bool:
    """Whether shares differ from proposal to proposal."""
    search = content.search
    if search is None:
        return False
    return bool(search.mixture_tasks) or search.merge is not None or "masked_lm_weight" in search.numbers()


def row_mixture(row: str, content: Intermediate, params: Mapping[str, Json] | None, size: SizeOf) -> dict[str, float]:
    """The tasks of a recipe with their shares of steps: of a proposal, or (None) of a row that searches no shares.

    Empty for ``none``, and for a row that searches shares while nothing is proposed.
    """
    if row == NONE_ROW or (params is None and is_mixture_searched(content)):
        return {}
    own = _own_mixture(row, content, params or {}, size)
    masked = _masked_lm(content)
    if masked is None:
        return own
    share = (params or {}).get("masked_lm_weight", 0.0) if isinstance(masked.weight, NumberRange) else masked.weight
    return beside(own, masked.task, float(str(share)))


def is_masked_lm(content: Intermediate, task: str) -> bool:
    """Whether the task is the one that the row names as its masked LM."""
    masked = _masked_lm(content)
    return masked is not None and masked.task == task


def task_languages(content: Intermediate, task: str, params: Mapping[str, Json] | None) -> tuple[str, ...] | None:
    """The languages of a task in a recipe where the row says them: its masked-LM task's; else None.

    Of several choices that which was drawn, the first where a condition kept it from being drawn; without ``params``
    every language that may be.
    """
    masked = _masked_lm(content)
    if masked is None or masked.task != task:
        return None
    choices = [masked.languages] if isinstance(masked, MaskedLm) else masked.language_choices
    given = [choice for choice in choices if choice is not None]
    if not given or params is None:
        return tuple(dict.fromkeys(language for choice in given for language in choice)) or None
    drawn = params.get(LANGUAGES)
    return tuple(map(str, drawn)) if isinstance(drawn, list) else given[0]


def _masked_lm(content: Intermediate) -> MaskedLm | SearchedMaskedLm | None:
    return content.masked_lm or (content.search.masked_lm if content.search else None)


def _own_tasks(row: str, content: Intermediate) -> tuple[str, ...]:
    if content.search is not None and content.search.mixture_tasks:
        return content.search.mixture_tasks
    if content.sampling is not None:
        return content.sampling.tasks
    return tuple(content.mixture) if content.mixture is not None else (content.task or row,)


def _own_mixture(row: str, content: Intermediate, params: Mapping[str, Json], size: SizeOf) -> dict[str, float]:
    """The recipe's mixture before masked LM takes its share."""
    search, fixed = content.search, content.sampling
    if search is not None and search.weights is not None:
        weights = params["weights"]
        return {task: float(str(weight)) for task, weight in weights.items()} if isinstance(weights, dict) else {}
    if search is not None and search.sampling is not None:
        written = search.sampling.temperature
        temperature: Temperature = "uniform" if written == "uniform" else _number(params, "temperature", written) or 1.0
        return _sampled(search.sampling.tasks, temperature, _number(params, "cap", search.sampling.cap), size)
    if search is not None and search.subset is not None:
        tasks = params["subset"]
        drawn = [str(task) for task in tasks] if isinstance(tasks, list) else []
        return _sampled(drawn, _number(params, "temperature", search.subset.temperature) or "uniform", None, size)
    if fixed is not None:
        return _sampled(fixed.tasks, fixed.temperature, fixed.cap, size)
    return dict(content.mixture) if content.mixture is not None else {content.task or row: 1.0}


def _sampled(tasks: Sequence[str], temperature: Temperature, cap: float | None, size: SizeOf) -> dict[str, float]:
    """Shares by size; nothing is counted where they are equal anyway."""
    sizes = {task: 1 if temperature == "uniform" else size(task) for task in tasks}
    return by_size(sizes, temperature=temperature, cap=cap)


def _number(params: Mapping[str, Json], name: str, written: NumberRange | float | None) -> float | None:
    """The drawn value, else the fixed one; None where a range was not drawn or nothing is written."""
    value = params.get(name, None if isinstance(written, NumberRange) else written)
    return None if value is None else float(str(value))
