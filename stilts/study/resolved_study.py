"""ResolvedStudy: a study with its encoder and its data pinned, from which plans are made (``planning.py``).

Data are pinned when they are first asked for, errors of theirs naming the field at fault, and kept: a study that only
asks for its encoder needs no data.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from stilts.errors import InputError, StudyError
from stilts.study.controls import controlled
from stilts.study.matching import SMALLEST, UNMATCHED, cut, even_limits
from stilts.study.mixing import is_masked_lm, row_tasks, task_languages
from stilts.study.record import NONE_ROW
from stilts.study.resolved_target import ResolvedTarget
from stilts.study.settings import task_config, train_limit
from stilts.study.stage import MixturePart, TrainStage
from stilts.study.study import Study
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.registry import Registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

Made = TypeVar("Made")


class CountExamples(Protocol):
    """How many examples some views hold: given, since nothing here reads data."""

    def __call__(self, views: Sequence[DataView]) -> int:
        """The number of examples."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedStudy:
    """A study with encoder and data pinned.

    ``pretraining`` is the stage that makes the encoder itself, where it is not a given one (toy). ``lacks_head`` says
    whether its checkpoint has no masked-LM head.
    """

    study: Study
    registry: Registry
    resolver: Resolver
    encoder: EncoderRef
    count_examples: CountExamples
    pretraining: TrainStage | None = None
    lacks_head: Callable[[], bool] = lambda: False
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made when it is first asked for by this key: the next plan shares it."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    @property
    def is_headless(self) -> bool:
        """Whether the encoder's checkpoint has no masked-LM head; asked only where something would use one."""
        return self.once(("headless",), self.lacks_head)

    @property
    def base(self) -> str | None:
        """The stage whose weights recipes start from; None for an encoder that is given."""
        return None if self.pretraining is None else self.pretraining.stage_id

    def target(self, column: str) -> ResolvedTarget:
        """A column with its task and data pinned."""
        with self.study.blamed(f"targets.{column}"):
            return self.once(("target", column), lambda: self._target(column))

    def tasks(self, row: str) -> tuple[str, ...]:
        """Every task that a recipe of the row may train on; a StudyError where they cannot be meant together."""
        content = self.study.rows[row]
        if content.merged_rows:
            return tuple(dict.fromkeys(task for other in content.merged_rows for task in self.tasks(other)))
        with self.study.blamed(f"intermediates.{row}"):
            return row_tasks(row, content)

    def parts(self, row: str) -> list[MixturePart]:
        """Every task that a recipe of the row may train on, with its data pinned; weights say nothing."""
        content = self.study.rows[row]
        if content.merged_rows:
            return [part for other in content.merged_rows for part in self.parts(other)]
        return [self.part(row, task, task_languages(content, task, None)) for task in self.tasks(row)]

    def part(self, row: str, task: str, languages: tuple[str, ...] | None = None) -> MixturePart:
        """A task of a row in these languages (None: those that it has there), with weight 1."""
        with self.study.blamed(f"intermediates.{row}"):
            return self.once(("part", row, task, languages), lambda: self._drawn_part(row, task, languages))

    def matched_size(self, row: str) -> tuple[int, int] | None:
        """How many training examples a row has of its own, and to how many they are cut; None where they are not."""
        with self.study.blamed(f"intermediates.{row}.match_size"):
            return self.once(("matched", row), lambda: self._matched_size(row))

    def known_size(self, row: str) -> int | None:
        """How many training examples a row has: counted where its size is matched, else as datasets declare, or None.

        Nothing is read for it that the plan does not read anyway.
        """
        if self._match_word(row) is not None:
            matched = self.matched_size(row)
            return self._row_size(row) if matched is None else matched[1]
        sizes = [self._declared_size(view) for part in self._own_parts(row) for view in part.train]
        return None if not sizes or None in sizes else sum(size or 0 for size in sizes)

    def source_languages(self, row: str) -> tuple[str, ...]:
        """The languages of a row's training data, but for masked LM beside it."""
        content = self.study.rows[row]
        rows = content.merged_rows or (row,)
        views = (view for one in rows for part in self._own_parts(one) for view in part.train)
        return tuple(dict.fromkeys(view.language for view in views))

    def _declared_size(self, view: DataView) -> int | None:
        declared = self.registry.dataset(view.dataset).num_train
        return declared if declared is None or view.limit is None else min(declared, view.limit)

    def num_examples(self, views: Sequence[DataView]) -> int:
        """How many examples the views hold."""
        return self.once(("count", *(view.digest for view in views)), lambda: self.count_examples(views))

    def _drawn_part(self, row: str, name: str, languages: tuple[str, ...] | None) -> MixturePart:
        """A part under the row's size matching, then its control; masked LM beside other tasks keeps its size."""
        content, part = self.study.rows[row], self._part(row, name, languages)
        cut_to = None if is_masked_lm(content, name) else self.matched_size(row)
        if cut_to is not None:
            sizes = {view.digest: self.num_examples([view]) for one in self._own_parts(row) for view in one.train}
            limits = dict(zip(sizes, even_limits(list(sizes.values()), cut_to[1]), strict=True))
            digests = [view.digest for view in part.train]
            part = cut(part, [limits[digest] for digest in digests], [sizes[digest] for digest in digests])
        return part if content.control is None else controlled(part, content.control, self.registry)

    def _own_parts(self, row: str) -> list[MixturePart]:
        content = self.study.rows[row]
        return [self._part(row, name, None) for name in self.tasks(row) if not is_masked_lm(content, name)]

    def _row_size(self, row: str) -> int:
        return sum(self.num_examples(part.train) for part in self._own_parts(row))

    def _matched_size(self, row: str) -> tuple[int, int] | None:
        wanted, limit = self._match_word(row), self.study.file.defaults.intermediate
        if wanted is None or isinstance(wanted, int):
            target = wanted
        elif wanted == SMALLEST:
            rows = (name for name, row in self.study.rows.items() if name != NONE_ROW and not row.merged_rows)
            matched = [name for name in rows if self._match_word(name) == SMALLEST]
            target = min(map(self._row_size, matched))
        else:
            task = self.registry.task(wanted)
            target = self.num_examples(self.resolver.intermediate_views(task, train_limit=limit.limit)[0])
        size = 0 if target is None else self._row_size(row)
        return None if target is None or size <= target else (size, target)

    def _match_word(self, row: str) -> int | str | None:
        wanted = self.study.rows[row].match_size or self.study.file.defaults.match_size
        return None if wanted == UNMATCHED else wanted

    def _part(self, row: str, name: str, languages: tuple[str, ...] | None) -> MixturePart:
        content, file, task = self.study.rows[row], self.study.file, self.registry.task(name)
        if is_masked_lm(content, name) and not task.kind.self_supervised:
            raise InputError(
                f'masked_lm.task "{name}"',
                f"its kind is {task.kind}",
                "Only masked LM is mixed in this way",
                'Name a masked-LM task: "plain" or "translation", or give the mixture itself',
            )
        train, select = self.resolver.intermediate_views(
            task,
            train_limit=train_limit(file.defaults.intermediate, content.train),
            select_limit=file.defaults.limits.select,
            languages=languages,
        )
        where = self.study.at(f"intermediates.{row}.encoding")
        config = task_config(where, self.study, task, content.encoding, self.encoder)
        return MixturePart(task=task, weight=1.0, config=config, train=train, select=select)

    def _target(self, column: str) -> ResolvedTarget:
        content, file = self.study.columns[column], self.study.file
        where = self.study.at(f"targets.{column}")
        task = self.registry.task(content.task or column)
        if task.test is None:
            raise StudyError(
                where,
                f'task "{task.name}" has no evaluation data',
                "A target is scored in several languages",
                "Use it as an intermediate, or choose a target from: stilts tasks",
            )
        languages = content.languages or self.resolver.target_languages(task)
        limits = content.limits.given()
        views = self.resolver.target_views(
            task,
            languages=languages,
            selection=file.selection,
            train_limit=train_limit(file.defaults.target, content.train),
            select_limit=limits.get("select", file.defaults.limits.select),
            test_limit=limits.get("report", file.defaults.limits.report),
        )
        config = task_config(f"{where}.encoding", self.study, task, content.encoding, self.encoder)
        before = self._before(task, f"{where}.encoding", column)
        spoken = tuple(languages)
        return ResolvedTarget(name=column, task=task, config=config, views=views, languages=spoken, before=before)

    def _before(self, task: Task, where: str, column: str) -> MixturePart | None:
        """The task that a target's fine-tuning begins with, with its data; it is trained as the target is."""
        if not task.after:
            return None
        content, file = self.study.columns[column], self.study.file
        first = self.registry.task(task.after)
        limit = train_limit(file.defaults.target, content.train)
        train, select = self.resolver.intermediate_views(
            first, train_limit=limit, select_limit=file.defaults.limits.select
        )
        config = task_config(where, self.study, first, content.encoding, self.encoder)
        return MixturePart(task=first, weight=1.0, config=config, train=train, select=select)
