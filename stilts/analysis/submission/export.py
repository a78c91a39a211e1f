"""A target's folder of a submission, from the stored predictions of one replicate, and its official figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from stilts.analysis.results import StudyResults
from stilts.analysis.scoring.benchmarks import BenchmarkTask, FileFormat
from stilts.analysis.scoring.checks import Files
from stilts.analysis.scoring.language_scores import score_language
from stilts.analysis.submission.fitting import (
    LeftOut,
    absent_languages,
    caveats,
    is_known,
    other_questions,
    versions_of,
)
from stilts.analysis.submission.official_files import labels_text, predictions_text, question_id
from stilts.fingerprint import Json, plain
from stilts.ledger.examples import Answered, read_answered
from stilts.study.record import Column, Replicate
from stilts.whole_file import check_empty, write_whole

EQUAL_PP = 1e-9
# Gives the right answers of a replicate's language where the store does not have them, in the order of its items.
Truths: TypeAlias = Callable[[Replicate, str, Sequence[str]], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedLanguage:
    """One language's files. ``matrix`` is the study's score; ``official`` the scorer's, of the files as written.

    ``official`` is None without labels, ``matrix`` where the data have no score. Both are 0 to 100; ``num_examples``
    were predicted.
    """

    language: str
    num_examples: int
    matrix: float | None
    official: float | None
    figures: Mapping[str, float]

    @property
    def differs(self) -> bool:
        """Whether the two figures are not the same number."""
        return self.official is not None and self.matrix is not None and abs(self.official - self.matrix) > EQUAL_PP


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTarget:
    """A target's folder: whose predictions it holds, in which languages, and what a reader should know of it.

    ``absent`` maps a benchmark to the languages that its scorer wants besides. ``other_measure`` says why matrix and
    scorer measure different things; it is empty where the figures must be equal.
    """

    target: str
    task: str
    row: str
    replicate: str
    languages: tuple[ExportedLanguage, ...]
    absent: Mapping[str, tuple[str, ...]]
    caveats: tuple[str, ...]
    other_measure: str

    @property
    def broken(self) -> tuple[str, ...]:
        """The languages whose figures differ without a reason."""
        return () if self.other_measure else tuple(each.language for each in self.languages if each.differs)

    def to_json(self) -> dict[str, Json]:
        """The target as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def export_target(
    results: StudyResults, replicate: Replicate, folder: Path, labels: Path | None, find_truths: Truths
) -> tuple[ExportedTarget | None, list[LeftOut]]:
    """Writes ``<folder>/<task>/test-<language>.<suffix>`` of every language that can be, and labels beside.

    None where no language can. Whatever cannot be read is raised before anything is written.
    """
    column = results.column(replicate.column)
    task = next(iter(versions_of(column.task).values()))
    ready, left, said = dict[str, Answered](), list[LeftOut](), dict[str, None]()
    for language, key in replicate.outputs["report"].items():
        answered = _answered(results, column, language, key)
        if isinstance(answered, str):
            left.append(LeftOut(target=column.name, language=language, reason=answered))
            continue
        if labels is not None and answered.truths is None:
            answered = answered.with_truths(find_truths(replicate, language, answered.items))
        ready[language] = answered
        payload = results.view.payload(key)
        view, config = payload.get("view"), payload.get("config")
        said.update(dict.fromkeys(caveats(view if isinstance(view, dict) else {}, len(answered.items))))
        said.update(dict.fromkeys(other_questions(config if isinstance(config, dict) else {})))
    if not ready:
        return None, left
    files = {language: _write(task, language, answered, folder, labels) for language, answered in ready.items()}
    languages = tuple(
        _exported(results, replicate, task, language, answered, files[language]) for language, answered in ready.items()
    )
    return ExportedTarget(
        target=column.name,
        task=task.name,
        row=replicate.row,
        replicate=replicate.replicate_id,
        languages=languages,
        absent=absent_languages(task.name, frozenset(ready)),
        caveats=tuple(said),
        other_measure=_other_measure(column, task),
    ), left


def check_free(where: Path) -> None:
    """Raises InputError where a task's folder holds a file already: files of two models would be mixed."""
    check_empty(where, str(where), "Name another folder, or delete this one")


def _answered(results: StudyResults, column: Column, language: str, key: str) -> Answered | str:
    """The examples of one language, or why they cannot be exported."""
    if not is_known(column.task, language):
        return f"no version of XTREME asks for {column.task} in it"
    if key not in results.view.published:
        return "it is not evaluated yet"
    answered = read_answered(results.store, key, column.measure.columns)
    if column.metric == "retrieval_accuracy" and not _names_candidates(answered):
        return (
            "an older version stored whether a sentence was found, not which was: delete the evaluation and run again"
        )
    return answered


def _names_candidates(answered: Answered) -> bool:
    """Whether the predictions are places of candidates: the right one of query i is candidate i."""
    right = [prediction == str(place) for place, prediction in enumerate(answered.predictions)]
    return right == [bool(value) for value in answered.rows[:, 0]]


def _write(task: BenchmarkTask, language: str, answered: Answered, folder: Path, labels: Path | None) -> Files | None:
    name = f"test-{language}.{task.format.suffix}"
    ids = [question_id(item, language) for item in answered.items]
    predicted = _put(folder / task.name / name, predictions_text(task.format, ids, answered.predictions))
    if labels is None or answered.truths is None:
        return None
    gold = _put(labels / task.name / name, labels_text(task.format, ids, answered.truths))
    return Files(labels=gold, predictions=predicted, language=language)


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
    return path


def _exported(
    results: StudyResults,
    replicate: Replicate,
    task: BenchmarkTask,
    language: str,
    answered: Answered,
    files: Files | None,
) -> ExportedLanguage:
    score = results.view.evaluations.result(replicate.outputs["report"][language]).score
    figures = dict(score_language(task, files).figures) if files else {}
    return ExportedLanguage(
        language=language,
        num_examples=len(answered.items),
        matrix=score,
        official=_official(figures),
        figures=figures,
    )


def _official(figures: Mapping[str, float]) -> float | None:
    """The language's share of the task's score: the mean of exact match and F1 for questions."""
    if "exact_match" in figures:
        return (figures["exact_match"] + figures["f1"]) / 2
    return next((figures[name] for name in ("f1", "accuracy", "map@20") if name in figures), None)


def _other_measure(column: Column, task: BenchmarkTask) -> str:
    """Why the scorer's figure is not the column's, empty where both are the same measure."""
    if task.format is FileFormat.TAGS and column.metric == "accuracy":
        return "the matrix has accuracy over words, the official scorer F1 of chunks"
    if task.flavour == "mlqa" and column.metric == "squad":  # a study from before the metric "mlqa", or a user's
        return "the matrix compares answers with SQuAD's normalisation, the official scorer with the language's own"
    return ""
