"""ResolvedTarget: a column with its data pinned, and what its stages learn and score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stilts.study.config import TaskConfig
from stilts.study.stage import EvaluateItem, MixturePart, Use
from stilts.tasks.resolve import TargetViews
from stilts.tasks.task import Task
from stilts.tasks.view import DataView


@dataclass(frozen=True, kw_only=True)
class ResolvedTarget:
    """A column with its data pinned; ``before`` is what is learned ahead of it, where its task says so."""

    name: str
    task: Task
    config: TaskConfig
    views: TargetViews
    languages: tuple[str, ...]
    before: MixturePart | None = None

    @cached_property
    def part(self) -> MixturePart:
        """What its fine-tuning learns."""
        select = _english(_alone(self))
        return MixturePart(task=self.task, weight=1.0, config=self.config, train=self.views.train, select=select)

    @cached_property
    def items(self) -> tuple[EvaluateItem, ...]:
        """What is evaluated of every model: ``select`` first."""
        select = [_item(self, Use.SELECT, view) for view in self.views.select]
        return (*select, *(_item(self, Use.REPORT, view) for view in self.views.report))


def _english(views: Sequence[DataView]) -> tuple[DataView, ...]:
    """The English ones, or all where none is English: what a train stage may choose its checkpoint by."""
    return tuple(view for view in views if view.language == "en") or tuple(views)


def _alone(target: ResolvedTarget) -> tuple[DataView, ...]:
    """The ``select`` views that can be scored by themselves: not those that ask a pool."""
    return tuple(view for view in target.views.select if not _asks_pool(target, view))


def _item(target: ResolvedTarget, use: Use, view: DataView) -> EvaluateItem:
    """What is evaluated, with its candidates, and what its threshold is chosen on where it is reported."""
    chosen = {each.language: each for each in target.views.calibration} if use is Use.REPORT else {}
    pool = target.views.pool if _asks_pool(target, view) else ()
    return EvaluateItem(use=use, view=view, pool=pool, calibration=chosen.get(view.language))


def _asks_pool(target: ResolvedTarget, view: DataView) -> bool:
    """Whether a view holds queries: an English tenth of the training pairs brings its own candidates."""
    return target.task.test is not None and bool(target.views.pool) and view.dataset == target.task.test.dataset
