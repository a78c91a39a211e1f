"""What of a target's data would give wrong numbers without a word, found before anything is trained.

``check_target`` is asked by ``stilts validate`` and before every run on data that were not looked at yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stilts.data.disjoint import check_disjoint
from stilts.data.load import is_kept_back, load_examples
from stilts.errors import DataError, InputError
from stilts.fingerprint import digest
from stilts.tasks.example import Example
from stilts.tasks.resolve import TargetViews
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

Roots = Mapping[str, str | Path]
# Raised when more is asked of data: what was found good before is then looked at again.
CHECKS_VERSION = 2


def check_target(task: Task, views: TargetViews, roots: Roots) -> None:
    """Raises DataError or SplitOverlapError where a target's data cannot give the scores that it would be chosen and
    reported by.

    Its uses share nothing (``check_disjoint``); none is empty; what is chosen by has a score under the metric; no
    example is one that the metric cannot score; no two languages are reported on the same examples.
    """
    labels = task.labels or None
    select = views.select or views.calibration
    for use, of_use in (("train", views.train), ("select", select), ("report", views.report)):
        for view in of_use:
            _check_examples(task, use, view, load_examples(view, roots, labels=labels))
    check_disjoint(views.train, select, views.report, roots, labels=labels)
    for view in views.select:
        reason = no_score(task, view, roots)
        if reason:
            raise DataError(
                _place(view),
                f"{task.metric} has no value there: {reason}",
                why="They are the target's select data: nothing could be chosen by them",
                next_step="Take more of them (limits: select), or other data",
            )
    _refuse_same_content(views.report, roots, labels)


def no_score(task: Task, view: DataView, roots: Roots) -> str:
    """Why the view's data have no score under the task's metric; "" where they have one, or only a model can tell."""
    if is_kept_back(view):
        return "its labels are kept back"
    again, measure = task.kind.scoring(task.metric).again, task.measure
    examples = load_examples(view, roots, labels=task.labels or None)
    truths = [example.truth(place) for place, example in enumerate(examples)]
    if again is None or not truths or any(truth is None for truth in truths):
        return ""
    known = [truth for truth in truths if truth is not None]
    try:
        rows = again(known, known, view.language)
    except InputError:  # right answers that are not written as predictions are
        return ""
    sums = dict(zip(measure.columns, map(float, rows.sum(axis=0)), strict=True))
    return "" if measure.is_defined(sums) else measure.undefined


def _check_examples(task: Task, use: str, view: DataView, examples: Sequence[Example]) -> None:
    if not examples:
        part = "it" if view.part.value == "all" else f'its part "{view.part.value}"'
        raise DataError(
            _place(view),
            f"{part} holds no example",
            why=f"They are the target's {use} data",
            next_step="Add examples, or take another split or part",
        )
    check = task.kind.scoring(task.metric).check_example
    wrong = [] if check is None else [found for found in map(check, examples) if found]
    if wrong:
        raise DataError(_place(view), f"{len(wrong)} of {len(examples)} {wrong[0]}")


def _refuse_same_content(views: Sequence[DataView], roots: Roots, labels: Sequence[str] | None) -> None:
    seen: dict[str, str] = {}
    for view in views:
        content = digest(sorted(example.content() for example in load_examples(view, roots, labels=labels)))
        other = seen.setdefault(content, view.language)
        if other != view.language:
            raise DataError(
                _place(view),
                f"its examples are the very same as those in {other}",
                why="One language would be scored on the other's examples",
                next_step="Put the right file there, or leave one of the two out",
            )


def _place(view: DataView) -> str:
    return f"dataset {view.dataset}, split {view.split}, language {view.language}"
