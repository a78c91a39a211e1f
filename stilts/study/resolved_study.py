"""ResolvedStudy: a study with its data and encoder pinned, and the stages of its rows and columns.

``planner.py`` says which of them a plan holds; ``estimating.py`` and ``recording.py`` read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from stilts.errors import InputError, StudyError
from stilts.fingerprint import Json
from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.mixing import is_masked_lm, row_mixture, row_tasks, task_languages
from stilts.study.record import NONE_ROW
from stilts.study.resolved_target import ResolvedTarget
from stilts.study.schema import Intermediate
from stilts.study.search_schema import TARGET
from stilts.study.search_space import Proposal
from stilts.study.settings import task_config, train_config, train_limit
from stilts.study.stage import EvaluateStage, MixturePart, Stage, TrainStage
from stilts.study.study import Study
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.registry import Registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Task
from stilts.tasks.view import DataView


class CountExamples(Protocol):
    """How many examples some views hold: given to the planner, which reads no data itself."""

    def __call__(self, views: Sequence[DataView]) -> int:
        """The number of examples."""


@dataclass(kw_only=True)
class ResolvedStudy:
    """A study whose data and encoder are pinned, and the stages that can be made of it, each made once.

    ``pretraining`` is the stage that makes the encoder itself, where it is not a given one (toy).
    """

    study: Study
    registry: Registry
    resolver: Resolver
    encoder: EncoderRef
    count_examples: CountExamples
    pretraining: TrainStage | None = None
    _parts: dict[tuple[str, str, tuple[str, ...] | None], MixturePart] = field(default_factory=dict, init=False)
    _counts: dict[tuple[str, ...], int] = field(default_factory=dict, init=False)
    _targets: dict[str, ResolvedTarget] = field(default_factory=dict, init=False)
    _tuned: dict[Any, tuple[MixturePart, TrainConfig]] = field(default_factory=dict, init=False)
    _stages: dict[Any, Stage | None] = field(default_factory=dict, init=False)

    def target(self, column: str) -> ResolvedTarget:
        """A column with its task and data pinned; errors of its data surface here."""
        if column not in self._targets:
            with self.study.blamed(f"targets.{column}"):
                self._targets[column] = self._resolve_target(column)
        return self._targets[column]

    def mixture(self, row: str, proposal: Proposal | None) -> tuple[tuple[str, float], ...]:
        """The tasks of a row's recipe with their weights; empty for ``none``, or where nothing is proposed yet."""
        content = self.study.rows[row]
        params = proposal.params if proposal else None
        with self.study.blamed(f"intermediates.{row}"):
            found = row_mixture(row, content, params, lambda task: self._size(row, content, task))
        return tuple(found.items())

    def tasks(self, row: str) -> tuple[str, ...]:
        """Every task that a recipe of the row may train on; a StudyError where they cannot be meant together."""
        with self.study.blamed(f"intermediates.{row}"):
            return row_tasks(row, self.study.rows[row])

    def recipe(self, row: str, proposal: Proposal | None, seed: int) -> TrainStage | None:
        """The stage that trains a row's recipe; None for ``none``."""
        if row == NONE_ROW:
            return None
        key = ("recipe", row, proposal and proposal.number, seed)
        if key not in self._stages:
            self._stages[key] = self._make_recipe(row, proposal, seed)
        stage = self._stages[key]
        assert isinstance(stage, TrainStage)
        return stage

    def parts(self, row: str) -> list[MixturePart]:
        """Every task that a recipe of the row may train on, with its data pinned; weights say nothing."""
        content = self.study.rows[row]
        return [self._part(row, content, task, 1.0, task_languages(content, task, None)) for task in self.tasks(row)]

    def tuned(self, column: str, parent: str | None, seed: int) -> tuple[TrainStage, EvaluateStage]:
        """The fine-tuning of a column that trains, from a parent's weights, and its evaluation."""
        stage = self.fine_tuning(column, parent, seed, None)
        return stage, self.evaluation(column, stage.stage_id)

    def _make_recipe(self, row: str, proposal: Proposal | None, seed: int) -> TrainStage:
        content, params = self.study.rows[row], proposal.params if proposal else {}
        parts = [
            self._part(row, content, task, weight, task_languages(content, task, params))
            for task, weight in self.mixture(row, proposal)
        ]
        parts = [replace(part, config=_batched(part.config, params.get("batch_size"))) for part in parts]
        with self.study.blamed(f"intermediates.{row}.train"):
            config = train_config(
                f"{self.study.path}: intermediates.{row}.train",
                self.study.file.defaults.intermediate,
                content.train,
                overrides=_searched(params),
                steps_per_epoch=lambda: sum(self._count(part.train) / part.config.batch_size for part in parts),
            )
            return TrainStage(parent=self._base, encoder=self.encoder, mixture=tuple(parts), config=config, seed=seed)

    @property
    def _base(self) -> str | None:
        return None if self.pretraining is None else self.pretraining.stage_id

    def _part(
        self, row: str, content: Intermediate, name: str, weight: float, languages: tuple[str, ...] | None = None
    ) -> MixturePart:
        key = (row, name, languages)
        if key not in self._parts:
            with self.study.blamed(f"intermediates.{row}"):
                self._parts[key] = self._resolve_part(row, content, name, languages)
        return replace(self._parts[key], weight=weight)

    def _resolve_part(
        self, row: str, content: Intermediate, name: str, languages: tuple[str, ...] | None
    ) -> MixturePart:
        task = self.registry.task(name)
        if is_masked_lm(content, name) and not task.kind.self_supervised:
            raise InputError(
                f'masked_lm.task "{name}"',
                f"its kind is {task.kind}",
                "Only masked LM is mixed in this way",
                'Name a masked-LM task: "plain" or "translation", or give the mixture itself',
            )
        train, select = self.resolver.intermediate_views(
            task,
            train_limit=train_limit(self.study.file.defaults.intermediate, content.train),
            select_limit=self.study.file.defaults.limits.select,
            languages=languages,
        )
        where = f"{self.study.path}: intermediates.{row}.encoding"
        config = task_config(where, self.study, task, content.encoding, self.encoder)
        return MixturePart(task=task, weight=1.0, config=config, train=train, select=select)

    def _size(self, row: str, content: Intermediate, task: str) -> int:
        """The number of a task's training examples, by which it is sampled."""
        return self._count(self._part(row, content, task, 1.0).train)

    def _count(self, views: Sequence[DataView]) -> int:
        key = tuple(view.digest for view in views)
        if key not in self._counts:
            self._counts[key] = self.count_examples(views)
        return self._counts[key]

    def _resolve_target(self, column: str) -> ResolvedTarget:
        content, file = self.study.columns[column], self.study.file
        where = f"{self.study.path}: targets.{column}"
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
        before = self._resolve_before(task, f"{where}.encoding", column)
        spoken = tuple(languages)
        return ResolvedTarget(name=column, task=task, config=config, views=views, languages=spoken, before=before)

    def _resolve_before(self, task: Task, where: str, column: str) -> MixturePart | None:
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

    def fine_tuning(
        self, column: str, parent: str | None, seed: int, proposal: Proposal | None, *, is_before: bool = False
    ) -> TrainStage:
        """The stage that fine-tunes on a target, or (``is_before``) on what its task is learned after."""
        params = proposal.params if proposal else {}
        drawn = {name.removeprefix(TARGET): value for name, value in params.items() if name.startswith(TARGET)}
        key = ("before" if is_before else "target", column, parent, seed, tuple(sorted(drawn.items())))
        if key not in self._stages:
            part, config = self._fine_tuned(column, is_before, drawn)
            self._stages[key] = TrainStage(
                parent=parent, encoder=self.encoder, mixture=(part,), config=config, seed=seed
            )
        stage = self._stages[key]
        assert isinstance(stage, TrainStage)
        return stage

    def _fine_tuned(self, column: str, is_before: bool, drawn: Mapping[str, Json]) -> tuple[MixturePart, TrainConfig]:
        """What a column's fine-tuning learns and how; made once, since every row and seed asks for it."""
        key = (column, is_before, tuple(sorted(drawn.items())))
        if key not in self._tuned:
            target = self.target(column)
            part = target.before if is_before else target.part
            assert part is not None
            part = replace(part, config=_batched(part.config, drawn.get("batch_size")))
            with self.study.blamed(f"targets.{column}.train"):
                self._tuned[key] = (part, self._target_config(column, part, _searched(drawn)))
        return self._tuned[key]

    def _target_config(self, column: str, part: MixturePart, overrides: Mapping[str, Any]) -> TrainConfig:
        return train_config(
            f"{self.study.path}: targets.{column}.train",
            self.study.file.defaults.target,
            self.study.columns[column].train,
            overrides=overrides,
            steps_per_epoch=lambda: self._count(part.train) / part.config.batch_size,
        )

    def evaluation(self, column: str, parent: str | None) -> EvaluateStage:
        """The stage that evaluates a model on a column; without a parent, the encoder as it is."""
        key = ("evaluate", column, parent)
        if key not in self._stages:
            target = self.target(column)
            trained = self.study.columns[column].train.precision or self.study.file.defaults.target.precision
            self._stages[key] = EvaluateStage(
                parent=parent,
                encoder=self.encoder,
                task=target.task,
                config=target.config,
                precision=Precision(trained or Precision.FP32),
                items=target.items,
            )
        stage = self._stages[key]
        assert isinstance(stage, EvaluateStage)
        return stage


def _searched(drawn: Mapping[str, Json]) -> dict[str, Any]:
    """What drawn values say of a stage's training; a batch is a setting of its tasks."""
    return {name: drawn[name] for name in ("learning_rate", "steps", "epochs", "warmup_frac") if name in drawn}


def _batched(config: TaskConfig, batch: Json) -> TaskConfig:
    return config if batch is None else replace(config, batch_size=int(str(batch)))
