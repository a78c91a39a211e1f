"""A study's predictions as a submission folder: what ``stilts export --submission`` does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from stilts.analysis.results import StudyResults
from stilts.analysis.submission.chosen import submitted_replicates
from stilts.analysis.submission.export import ExportedTarget, check_free, export_target
from stilts.analysis.submission.fitting import SCORED_AS, LeftOut
from stilts.app.places import is_file, load_record
from stilts.app.workspace import Workspace, assemble
from stilts.data.load import load_examples
from stilts.errors import InputError, StoreError, StudyError
from stilts.fingerprint import Json
from stilts.store.store import Store
from stilts.study.record import Replicate
from stilts.study.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What was written, target by target, and all that was not, with the reason."""

    folder: Path
    labels: Path | None
    targets: tuple[ExportedTarget, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def broken(self) -> list[str]:
        """Targets and languages whose official figure should be the matrix's and is not."""
        return [f"{target.target} {language}" for target in self.targets for language in target.broken]

    def to_json(self) -> dict[str, Json]:
        """The submission as plain JSON."""
        left: list[Json] = [asdict(each) for each in self.left_out]
        return {
            "submission": str(self.folder),
            "labels": None if self.labels is None else str(self.labels),
            "targets": [target.to_json() for target in self.targets],
            "left_out": left,
        }


def export_submission(
    study: str,
    store: Store,
    folder: Path,
    *,
    labels: Path | None = None,
    target: str | None = None,
    row: str | None = None,
    seed: str | None = None,
) -> Submission:
    """Writes the submission of every target, or of ``target``; one replicate each, chosen as ``stilts export`` does.

    InputError where a file would be mixed with another model's, or nothing can be exported.
    """
    results = StudyResults(record=load_record(study, store), store=store, keeps_unscored=True)
    chosen, left = submitted_replicates(results, target, row, seed)
    _check_folders(results, chosen, folder, labels)
    truths, targets = _DataTruths(study=study), []
    with _all_or_nothing(_task_folders(results, chosen, folder, labels)):
        for replicate in chosen:
            exported, languages = export_target(results, replicate, folder, labels, truths.of)
            left += languages
            if exported is None:
                left.append(LeftOut(target=replicate.column, language=None, reason="no language of it can be exported"))
            else:
                targets.append(exported)
    if not targets:
        raise InputError(
            f"submission of {study}",
            "nothing can be exported",
            "; ".join(dict.fromkeys(f"{each.target}: {each.reason}" for each in left)),
            "Run the study with targets of XTREME, or name a row with --row",
        )
    return Submission(folder=folder, labels=labels, targets=tuple(targets), left_out=tuple(left))


def check_agreement(submission: Submission) -> None:
    """Raises StoreError where the official scorer would not say what the matrix does, and no reason is known."""
    if submission.broken:
        raise StoreError(
            f"submission in {submission.folder}",
            f"its official figures are not the matrix's in {', '.join(submission.broken[:10])}",
            "They measure the same there",
            "See which score is wrong: stilts rescore STUDY",
        )


@dataclass(frozen=True, kw_only=True)
class _DataTruths:
    """Right answers read from the study's data, for evaluations that were stored without them."""

    study: str

    def of(self, replicate: Replicate, language: str, items: Sequence[str]) -> tuple[str, ...]:
        """The right answers in the order of ``items``; an error that says how to get them where that cannot be."""
        target = self._workspace.resolved.target(replicate.column)
        digest = replicate.outputs["report"][language].rpartition("-")[2]
        views = [each for each in target.views.report if each.language == language and each.digest.startswith(digest)]
        if views:
            examples = load_examples(views[0], self._workspace.roots, labels=target.task.labels or None)
            truths = [example.truth(place) for place, example in enumerate(examples)]
            if [example.item for example in examples] == list(items) and None not in truths:
                return tuple(map(str, truths))
        raise StudyError(
            f"labels of {replicate.column} in {language}",
            "the evaluation was stored without them, and the study's data are not those that it was made on",
            "A label file must hold the examples that were predicted",
            "Evaluate again: delete the evaluation and run the study, or leave --labels out",
        )

    @cached_property
    def _workspace(self) -> Workspace:
        if not is_file(self.study):
            raise StudyError(
                f"labels for study {self.study}",
                "its evaluations were stored without them by an older version",
                "The study's file says where its data are",
                "Give the study's file instead of its name, or evaluate again",
            )
        return assemble(Study.load(self.study))


def _task_folders(results: StudyResults, chosen: Sequence[Replicate], folder: Path, labels: Path | None) -> list[Path]:
    """The folders that will be filled, by task, on both sides."""
    named = [results.column(replicate.column).task for replicate in chosen]
    tasks = [SCORED_AS.get(name, name) for name in named]
    return [side / task for task in tasks for side in (folder, labels) if side is not None]


def _check_folders(results: StudyResults, chosen: Sequence[Replicate], folder: Path, labels: Path | None) -> None:
    if labels is not None and labels.resolve() == folder.resolve():
        raise InputError(f"--labels {labels}", "it is the submission's folder", "Files have the same names in both")
    for where in _task_folders(results, chosen, folder, labels):
        check_free(where)


@contextmanager
def _all_or_nothing(folders: Sequence[Path]) -> Iterator[None]:
    """Takes the folders, which held nothing before, away again when an error ends the context."""
    try:
        yield
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise
