"""Resolver: from a task's splits to views that are pinned by content, and from a target to its three uses of data.

DESIGN rule 6 is implemented here: ``target_views`` says what is trained on, chosen by and reported. Nothing is read but
the bytes that are hashed; ``stilts.data.load`` reads examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from stilts.errors import InputError, SelectionError
from stilts.tasks.pinned_sources import PinnedSources
from stilts.tasks.task import Part, Source, SplitRef, Task
from stilts.tasks.toy import MIXED
from stilts.tasks.view import DataView


class Selection(StrEnum):
    """By which data a target's choices are made (DESIGN rule 6)."""

    ENGLISH_DEV = "english_dev"
    TARGET_DEV = "target_dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetViews:
    """The three disjoint uses of a target's data, one view per language; ``train`` is empty for an untrained target.

    ``pool`` are the candidates that all queries are asked of. ``calibration`` are the views that a threshold is chosen
    on, one per language: what ``select`` is under ``target_dev``, there even where nothing else is chosen by it.
    """

    train: tuple[DataView, ...]
    select: tuple[DataView, ...]
    report: tuple[DataView, ...]
    pool: tuple[DataView, ...] = ()
    calibration: tuple[DataView, ...] = ()


class Resolver(PinnedSources):
    """The views of a task's uses, pinned from where ``PinnedSources`` is told that datasets come from."""

    def languages_not_there(self, task: Task) -> tuple[str, ...]:
        """The languages of a target's release that its source does not have here."""
        test = self._with_test(task).test
        if test is None or self.source_of(test.dataset) is not Source.FILES:
            return ()
        there = self.available_languages(test)
        return tuple(code for code in self.registry.dataset(test.dataset).languages[test.split] if code not in there)

    def target_languages(self, task: Task) -> tuple[str, ...]:
        """The languages in which a target is evaluated; none for a task without evaluation data."""
        test = self._with_test(task).test
        return () if test is None else self.languages(test)

    def target_views(
        self,
        task: Task,
        *,
        languages: Sequence[str],
        selection: str = Selection.ENGLISH_DEV,
        train_limit: int | None = None,
        select_limit: int | None = None,
        test_limit: int | None = None,
    ) -> TargetViews:
        """What a target trains on, is chosen by and is reported on.

        ``english_dev`` chooses by English dev data (retrieval has none, so it chooses by nothing) and reports the whole
        test split. ``target_dev`` chooses by the official dev sets of ``languages``; where these are not there, by one
        half of the test split, by hash of the source item, and reports the other. Where the task excludes overlaps,
        training data leave out what stands in English dev or in *any* language of the test split, so that
        a new language changes no training stage; selection data leave out what is reported. A pool is that of all
        ``languages``. A threshold has to be chosen on something: where the release's test files are not at hand, its
        dev files are halved.
        """
        test = task.test
        if test is None:
            raise InputError(
                f'target "{task.name}"',
                "the task has no test split",
                "A target is evaluated in other languages",
                "Use it as an intermediate, or choose another target",
            )
        if task.train is not None:
            self._check_train_language(task, task.train)
        task, chosen = self._with_test(_with_dev(task)), _selection(selection)
        # What is held back for the threshold is what target_dev chooses by.
        by = Selection.TARGET_DEV if task.mines_by_threshold else chosen
        select_ref, select_languages = self._select_ref(task, by, languages)
        halves = select_ref is not None and select_ref.part is Part.HALF_SELECT
        test = task.test or test
        report_ref = replace(test, part=Part.HALF_REPORT) if halves else test
        select: tuple[DataView, ...] = ()
        if select_ref is not None:
            # Halves are drawn by item; where a release repeats a question under two ids, both could get it.
            leaves_out = halves or task.on_overlap == "exclude"
            exclude = self._all_test(task, report_ref) if leaves_out else ()
            select = self.views(select_ref, task.kind, select_languages, limit=select_limit, exclude=exclude)
        return TargetViews(
            train=self._train(task, train_limit),
            select=select if by is chosen else (),
            report=self.views(report_ref, task.kind, languages, limit=test_limit),
            pool=self._pool(task, languages),
            calibration=select if task.mines_by_threshold else (),
        )

    def intermediate_views(
        self,
        task: Task,
        *,
        train_limit: int | None = None,
        select_limit: int | None = None,
        languages: Sequence[str] | None = None,
    ) -> tuple[tuple[DataView, ...], tuple[DataView, ...]]:
        """What an intermediate trains on and is followed by: English, or ``languages``; masked LM, all that are there.

        A task that trains on the same split as a target that excludes overlaps leaves out the same examples: what a
        target must not see in its fine-tuning it must not see before.
        """
        if task.train is None:
            raise InputError(
                f'intermediate "{task.name}"',
                "the task has no training data",
                next_step="Use it as a target, or choose another intermediate",
            )
        declared = _with_dev(task)
        source = declared.train or task.train
        if languages is None and not task.kind.self_supervised:
            self._check_train_language(task, source)
        spoken = tuple(languages) if languages is not None else self._intermediate_languages(task, source)
        train_exclude, select_exclude = self._shared_exclusion(task, source)
        train = self.views(source, task.kind, spoken, limit=train_limit, exclude=train_exclude)
        if declared.dev is None:
            return train, ()
        dev_languages = tuple(code for code in spoken if code in self.languages(declared.dev))
        return train, self.views(declared.dev, task.kind, dev_languages, limit=select_limit, exclude=select_exclude)

    def _with_test(self, task: Task) -> Task:
        """The task; one that mines, evaluated on its dev files where no language's test files are at hand."""
        if not task.mines_by_threshold or task.dev is None or task.test is None or self.available_languages(task.test):
            return task
        return replace(task, test=task.dev) if self.available_languages(task.dev) else task

    def _pool(self, task: Task, languages: Sequence[str]) -> tuple[DataView, ...]:
        if task.pool is None:
            return ()
        declared = self.registry.dataset(task.pool.dataset).languages[task.pool.split]
        return self.views(task.pool, task.kind, declared if declared == (MIXED,) else languages)

    def _train(self, task: Task, limit: int | None) -> tuple[DataView, ...]:
        if task.train is None:
            return ()
        exclude = self._evaluation_views(task) if task.on_overlap == "exclude" else ()
        return self.views(task.train, task.kind, (task.train_language,), limit=limit, exclude=exclude)

    def _check_train_language(self, task: Task, ref: SplitRef) -> None:
        """Raises InputError where the training data are not in the language that the task trains in."""
        declared = self.registry.dataset(ref.dataset).languages[ref.split]
        if self.source_of(ref.dataset) is Source.TOY or task.train_language in declared:
            return
        raise InputError(
            f'task "{task.name}", train',
            f"its data are in {', '.join(declared)}, and it trains in {task.train_language}",
            "Tasks train on English where they do not say otherwise",
            f"Write train_language: {declared[0]} in the task, if that is meant",
        )

    def _evaluation_views(self, task: Task) -> tuple[DataView, ...]:
        """Dev in the language of training and every language of test: what training data may not hold."""
        dev: tuple[DataView, ...] = ()
        if task.dev is not None and task.train_language in self.languages(task.dev):
            dev = self.views(task.dev, task.kind, (task.train_language,))
        return dev + (() if task.test is None else self._all_test(task, task.test))

    def _all_test(self, task: Task, ref: SplitRef) -> tuple[DataView, ...]:
        return self.views(ref, task.kind, self.available_languages(ref))

    def _select_ref(
        self, task: Task, selection: Selection, languages: Sequence[str]
    ) -> tuple[SplitRef | None, tuple[str, ...]]:
        """The split to choose by and its languages; None where there is nothing to choose by."""
        if selection is Selection.ENGLISH_DEV:
            return task.dev, (task.train_language,)
        dev, test = task.dev, task.test
        is_official = dev is not None and dev.part is Part.ALL and dev != test
        if dev is not None and is_official and set(languages) <= set(self.available_languages(dev)):
            return dev, tuple(languages)
        return (None if test is None else replace(test, part=Part.HALF_SELECT)), tuple(languages)

    def _intermediate_languages(self, task: Task, ref: SplitRef) -> tuple[str, ...]:
        spoken = self.languages(ref)
        return spoken if task.kind.self_supervised and spoken else (task.train_language,)

    def _shared_exclusion(self, task: Task, ref: SplitRef) -> tuple[tuple[DataView, ...], tuple[DataView, ...]]:
        """What train and dev leave out for the sake of the targets that train on the same split."""
        train: list[DataView] = []
        select: list[DataView] = []
        for target in self.registry.tasks():
            same = target.train is not None and (target.train.dataset, target.train.split) == (ref.dataset, ref.split)
            if same and target.test is not None and target.on_overlap == "exclude" and target.kind is task.kind:
                train += [view for view in self._evaluation_views(target) if view not in train]
                select += [view for view in self._all_test(target, target.test) if view not in select]
        return tuple(train), tuple(select)


def _with_dev(task: Task) -> Task:
    """The target with data to choose by: where it declares none, or its test split, a tenth of English train."""
    train, dev, test = task.train, task.dev, task.test
    if train is None or test is None or train.part is not Part.ALL:
        return task
    if dev is not None and (dev.dataset, dev.split) != (test.dataset, test.split):
        return task
    return replace(task, train=replace(train, part=Part.REST), dev=replace(train, part=Part.TENTH))


def _selection(name: str) -> Selection:
    try:
        return Selection(name)
    except ValueError:
        raise SelectionError(
            f'selection "{name}"',
            "there is no such rule",
            next_step=f"Write one of: {', '.join(Selection)}",
        ) from None
