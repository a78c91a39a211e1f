"""Scores of a whole submission folder: every task and language of a benchmark that it has, and their averages.

A folder holds ``<task>/test-<language>.<suffix>``. A task is scored where predictions and labels have its folder; then
every language must be there. What the official scorer would pass over is an error here: predictions without labels,
folders and files that the benchmark does not know.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from stilts.analysis.scoring.benchmarks import BENCHMARKS, Benchmark, BenchmarkTask
from stilts.analysis.scoring.checks import Files
from stilts.analysis.scoring.language_scores import LanguageScore, score_language
from stilts.errors import DataError, UnknownNameError
from stilts.fingerprint import Json
from stilts.metrics.averages import BenchmarkScore, benchmark_score, group_scores, task_score


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """A task's figures, 0 to 100, by the official scorer's name and by language."""

    figures: Mapping[str, Mapping[str, float]]

    @property
    def averages(self) -> dict[str, float]:
        """The plain mean over languages of each figure."""
        return {name: task_score(by_language) for name, by_language in self.figures.items()}

    @property
    def score(self) -> float:
        """The task's score: the mean of exact match and F1 for questions, else F1, accuracy or map@20."""
        averages = self.averages
        if "exact_match" in averages:
            return (averages["exact_match"] + averages["f1"]) / 2
        return next(averages[name] for name in ("f1", "accuracy", "map@20") if name in averages)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionScore:
    """The scores of a submission on one benchmark; ``notes`` say what was accepted that a reader should know."""

    benchmark: Benchmark
    tasks: Mapping[str, TaskScore]
    notes: tuple[str, ...] = ()

    @property
    def overall(self) -> BenchmarkScore | None:
        """The plain mean over all tasks of the benchmark, None where one is not there.

        XTREME-R's scorer never forms it, as it has no reader for LAReQA; ours is the mean over its ten tasks (Ruder et
        al. 2021, table 1) where all ten are there.
        """
        if set(self.tasks) != set(self.benchmark.tasks):
            return None
        kinds = {task: group for group, tasks in self.benchmark.groups.items() for task in tasks}
        return benchmark_score(self._scores, {**kinds, "lareqa": "retrieval"})

    @property
    def groups(self) -> dict[str, float]:
        """The plain mean over the tasks of each group whose tasks are all there."""
        return group_scores(self._scores, self.benchmark.groups)

    def as_json(self) -> dict[str, Json]:
        """What the official scorer writes: averages of groups, then each task's figures by language."""
        overall = self.overall
        value: dict[str, Json] = {"all_task": overall.overall} if overall else {}
        value.update(self.groups)
        for name, task in self.tasks.items():
            means = {f"avg_{figure}": mean for figure, mean in task.averages.items()}
            by_language: dict[str, Json] = {figure: dict(scores) for figure, scores in task.figures.items()}
            value[name] = {**by_language, **means, "avg_metric": task.score}
        return value

    @property
    def _scores(self) -> dict[str, float]:
        return {name: task.score for name, task in self.tasks.items()}


def score_submission(
    predictions: Path, labels: Path, benchmark: Benchmark, only: Collection[str] | None = None
) -> SubmissionScore:
    """The scores of every task that has predictions, or of those named ``only``.

    DataError naming file and line for what cannot be scored; UnknownNameError for a task that the benchmark does not
    have.
    """
    chosen, notes = _tasks(predictions, labels, benchmark, only)
    scores: dict[str, TaskScore] = {}
    for task in chosen:
        by_language = {code: _language(task, code, predictions, labels) for code in task.languages}
        names = next(iter(by_language.values())).figures
        scores[task.name] = TaskScore(
            figures={name: {code: scored.figures[name] for code, scored in by_language.items()} for name in names}
        )
        notes += _noted(task.name, by_language)
    return SubmissionScore(benchmark=benchmark, tasks=scores, notes=tuple(notes))


def _language(task: BenchmarkTask, code: str, predictions: Path, labels: Path) -> LanguageScore:
    name = f"test-{code}.{task.format.suffix}"
    files = Files(labels=labels / task.name / name, predictions=predictions / task.name / name, language=code)
    for file in (files.predictions, files.labels):
        if not file.is_file():
            raise DataError(
                file,
                "no such file",
                why=f"A score of {task.name} is a mean over its {len(task.languages)} languages",
                next_step=f"Add the file, or leave {task.name} out with --tasks",
            )
    return score_language(task, files)


def _noted(task: str, by_language: Mapping[str, LanguageScore]) -> list[str]:
    """One sentence per kind of note: how many in all, and in which languages."""
    counts: dict[str, dict[str, int]] = {}
    for code, scored in by_language.items():
        for text, number in scored.notes.items():
            counts.setdefault(text, {})[code] = number
    return [f"{task}: {sum(found.values())} {text} ({', '.join(found)})" for text, found in counts.items()]


def _tasks(
    predictions: Path, labels: Path, benchmark: Benchmark, only: Collection[str] | None
) -> tuple[list[BenchmarkTask], list[str]]:
    """The tasks to score, after checks of folders and file names, and notes of those left out."""
    for name in only or ():
        if name not in benchmark.tasks:
            raise UnknownNameError(f"task of {benchmark.name}", name, benchmark.tasks)
    found, there = _folders(predictions), _folders(labels)
    known = {task for each in BENCHMARKS.values() for task in each.tasks}
    for name in found:
        if name not in known and known.intersection(found):
            raise _unknown_folder(predictions / name, known)
    wanted = [name for name in found if name in benchmark.tasks and (only is None or name in only)]
    absent = sorted(set(only or ()) - set(found))
    if absent or not wanted:
        raise DataError(
            predictions,
            f"no folder {', '.join(absent)}" if absent else f"no folder of a task of {benchmark.name}",
            why=f"Found {', '.join(found) or 'no folders'}",
            next_step=f"Name the folder that holds {next(iter(benchmark.tasks))}/ and the like",
        )
    for name in wanted:
        if name not in there:
            raise DataError(
                labels / name, "no such folder", why=f"There are predictions for {name}", next_step=_LEAVE_OUT
            )
        _check_names(predictions / name, benchmark.tasks[name])
    left = [f"{name} is no task of {benchmark.name} and not scored" for name in found if name not in benchmark.tasks]
    return [task for task in benchmark.tasks.values() if task.name in wanted], left


_LEAVE_OUT = "Add its labels, or name the tasks to score with --tasks"


def _folders(path: Path) -> list[str]:
    if not path.is_dir():
        raise DataError(path, "no such folder", next_step="Check the path")
    return sorted(each.name for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))


def _unknown_folder(folder: Path, known: Collection[str]) -> DataError:
    close = difflib.get_close_matches(folder.name, known, n=1)
    return DataError(
        folder,
        "no task has this name",
        why=f'Did you mean "{close[0]}"?' if close else f"Tasks are {', '.join(sorted(known))}",
        next_step="Rename the folder or take it out",
    )


def _check_names(folder: Path, task: BenchmarkTask) -> None:
    """Every file must be one that some version of the benchmark asks for: else a misnamed language is never read."""
    versions = (each.tasks[task.name] for each in BENCHMARKS.values() if task.name in each.tasks)
    expected = {f"test-{code}.{task.format.suffix}" for each in versions for code in each.languages}
    for file in sorted(folder.iterdir()):
        if file.name not in expected and not file.name.startswith("."):
            raise DataError(
                file,
                f"no language of {task.name} has a file of this name",
                why=f"Files are test-<language>.{task.format.suffix}",
                next_step="Rename the file or take it out",
            )
