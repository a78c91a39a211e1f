"""A study's predictions as a submission folder: what ``stilts export --submission`` does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.errors import InputError, StiltsError, StoreError, StudyError, UnknownNameError
from stilts.fingerprint import Json
from stilts.shown import shown

if TYPE_CHECKING:
    from stilts.analysis.results import StudyResults
    from stilts.analysis.submission.export import ExportedTarget
    from stilts.analysis.submission.fitting import LeftOut
    from stilts.cli.compose import Workspace
    from stilts.store.store import Store
    from stilts.study.record import Replicate


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
    from stilts.analysis.results import StudyResults
    from stilts.analysis.submission.export import export_target
    from stilts.analysis.submission.fitting import LeftOut
    from stilts.cli.compose import load_record

    results = StudyResults(record=load_record(study, store), store=store)
    chosen, left = _chosen(results, target, row, seed)
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


def told(submission: Submission) -> RenderableType:
    """A line per target, then what was left out and what the figures cannot say."""
    table = Table(box=None, pad_edge=False)
    for heading in ("target", "replicate", "languages", "matrix", "official"):
        table.add_column(heading)
    for target in submission.targets:
        official = [each.official for each in target.languages if each.official is not None]
        table.add_row(
            target.target,
            target.replicate,
            str(len(target.languages)),
            f"{sum(each.matrix for each in target.languages) / len(target.languages):.2f}",
            f"{sum(official) / len(official):.2f}" if official else "no labels",
        )
    lines = [line for target in submission.targets for line in _remarks(target)]
    lines += [shown(f"Left out: {_place(each)}: {each.reason}.") for each in submission.left_out]
    where = f"The submission is in {submission.folder}"
    beside = "" if submission.labels is None else f", its labels in {submission.labels}"
    return Group(table, Text("\n".join([*lines, where + beside + "."])))


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
        from stilts.data.load import load_examples

        target = self._workspace.planner.target(replicate.column)
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
        from stilts.cli.compose import assemble
        from stilts.study.study import Study

        if Path(self.study).suffix not in (".yaml", ".yml"):
            raise StudyError(
                f"labels for study {self.study}",
                "its evaluations were stored without them by an older version",
                "The study's file says where its data are",
                "Give the study's file instead of its name, or evaluate again",
            )
        return assemble(Study.load(self.study))


def _chosen(
    results: StudyResults, target: str | None, row: str | None, seed: str | None
) -> tuple[list[Replicate], list[LeftOut]]:
    """One replicate per target that can be exported; errors of a target are its reasons, unless it was named."""
    from stilts.analysis.submission.fitting import SCORED_AS, LeftOut, reason_against
    from stilts.cli.exporting import find_replicate

    names = [each.name for each in results.record.rows]
    if row is not None and row not in names:
        raise UnknownNameError("row", row, names)
    columns = results.record.columns if target is None else (results.column(target),)
    chosen: list[Replicate] = []
    left: list[LeftOut] = []
    taken: dict[str, str] = {}
    # Of two targets for one folder the one with the scorer's own measure comes first.
    for column in sorted(columns, key=lambda each: each.task not in SCORED_AS):
        task = SCORED_AS.get(column.task, column.task)
        reason = reason_against(column) or _second(task, taken)
        if not reason:
            try:
                chosen.append(find_replicate(results, column.name, row, seed))
                taken[task] = column.name
            except StiltsError as error:
                if target is not None:
                    raise
                reason = f"{error.found}. {error.next_step}"
        if reason:
            left.append(LeftOut(target=column.name, language=None, reason=reason))
    return chosen, left


def _second(task: str, taken: dict[str, str]) -> str:
    """Why a target cannot come along whose folder another one fills."""
    other = taken.get(task)
    return f"{other} has the same task {task}; name this one with --target" if other else ""


def _task_folders(results: StudyResults, chosen: Sequence[Replicate], folder: Path, labels: Path | None) -> list[Path]:
    """The folders that will be filled, by task, on both sides."""
    from stilts.analysis.submission.fitting import SCORED_AS

    named = [results.column(replicate.column).task for replicate in chosen]
    tasks = [SCORED_AS.get(name, name) for name in named]
    return [side / task for task in tasks for side in (folder, labels) if side is not None]


def _check_folders(results: StudyResults, chosen: Sequence[Replicate], folder: Path, labels: Path | None) -> None:
    from stilts.analysis.submission.export import check_free

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


def _remarks(target: ExportedTarget) -> list[str]:
    lines = [f"{target.target}: {caveat}." for caveat in target.caveats]
    if target.other_measure and any(each.differs for each in target.languages):
        lines.append(f"{target.target}: the figures differ: {target.other_measure}.")
    told = set[str]()
    for name, codes in target.absent.items():
        more = [code for code in codes if code not in told]
        told.update(more)
        if more:
            number = f"{len(more)} language{'s' if len(more) > 1 else ''}"
            lines.append(f"{target.target}: the scorer of {name} also wants {number}: {', '.join(more)}.")
    return lines


def _place(left: LeftOut) -> str:
    return left.target if left.language is None else f"{left.target} in {left.language}"
