"""The figures of one task in one language, from its label file and its prediction file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from stilts.analysis.scoring.benchmarks import BenchmarkTask, FileFormat
from stilts.analysis.scoring.checks import (
    Files,
    Notes,
    blank_lines,
    check_not_empty,
    check_numbers,
    check_right_answers,
    check_same_number,
    check_same_words,
    missing_queries,
    unknown_labels,
)
from stilts.analysis.scoring.submission_files import (
    read_answers,
    read_choices,
    read_lines,
    read_pairs,
    read_questions,
    read_ranked,
    read_sentences,
)
from stilts.metrics.bucc import pair_row
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import FloatArray, metric
from stilts.metrics.qa import squad_rows
from stilts.metrics.ranking import average_precision_rows, reciprocal_rank_rows
from stilts.tasks.language_codes import base_language


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageScore:
    """Figures by the official scorer's name, 0 to 100; ``notes`` count what was accepted that a reader should know."""

    figures: Mapping[str, float]
    notes: Notes = field(default_factory=dict)


def score_language(task: BenchmarkTask, files: Files) -> LanguageScore:
    """The official scorer's figures; DataError, with file and line, for what cannot be read or counted."""
    return _SCORERS[task.format](task, files)


def _labels(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, predicted = read_lines(files.labels), read_lines(files.predictions)
    check_same_number(gold, predicted, files)
    if task.known:
        notes = unknown_labels(predicted, task.known | set(gold), files)
    else:
        check_numbers(predicted, files.predictions)
        notes = blank_lines(predicted)
    return _scored("accuracy", accuracy_rows(gold, predicted), notes)


def _choices(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, predicted = read_choices(files.labels), read_choices(files.predictions)
    check_same_number(gold, predicted, files)
    return _scored("accuracy", accuracy_rows(gold, predicted))


def _tags(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, predicted = read_sentences(files.labels), read_sentences(files.predictions)
    check_same_words(gold, predicted, files)
    known = task.known.union(*(each.tags for each in gold))
    notes = unknown_labels([tag for each in predicted for tag in each.tags], known, files)
    return _scored("chunk_f1", chunk_rows([each.tags for each in gold], [each.tags for each in predicted]), notes)


def _pairs(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, found = read_pairs(files.labels), read_pairs(files.predictions)
    check_not_empty(gold, files.labels)
    return _scored("pair_f1", pair_row(gold, found), {} if found else {"files hold no pair": 1})


def _answers(task: BenchmarkTask, files: Files) -> LanguageScore:
    questions, answers = read_questions(files.labels), read_answers(files.predictions)
    check_not_empty(questions, files.labels)
    notes = missing_queries([question.id for question in questions], answers, files, "answer")
    if not any(text.strip() for question in questions for text in question.answers):
        notes = {**notes, "questions have an empty gold answer, a placeholder": len(questions)}
    rows = squad_rows(
        [question.answers for question in questions],
        [answers.get(question.id) for question in questions],
        language=base_language(files.language),
        flavour=task.flavour,
    )
    scored = _scored("squad", rows, notes)
    return LanguageScore(figures={"exact_match": scored.figures["em"], "f1": scored.figures["f1"]}, notes=notes)


def _entities(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, ranked = read_ranked(files.labels), read_ranked(files.predictions)
    check_right_answers(gold, files.labels)
    rows = reciprocal_rank_rows([names[0].strip() for names in gold.values()], [ranked.get(query) for query in gold])
    return _scored("reciprocal_rank_at_20", rows, missing_queries(list(gold), ranked, files, "ranking"))


def _rankings(task: BenchmarkTask, files: Files) -> LanguageScore:
    gold, ranked = read_ranked(files.labels), read_ranked(files.predictions)
    check_right_answers(gold, files.labels)
    rows = average_precision_rows(list(gold.values()), [ranked.get(query) for query in gold])
    return _scored("map_at_20", rows, missing_queries(list(gold), ranked, files, "ranking"))


_Scorer: TypeAlias = Callable[[BenchmarkTask, Files], LanguageScore]
_SCORERS: Mapping[FileFormat, _Scorer] = {
    FileFormat.LABELS: _labels,
    FileFormat.CHOICES: _choices,
    FileFormat.TAGS: _tags,
    FileFormat.PAIRS: _pairs,
    FileFormat.ANSWERS: _answers,
    FileFormat.ENTITIES: _entities,
    FileFormat.RANKINGS: _rankings,
}


def _scored(name: str, rows: FloatArray, notes: Notes | None = None) -> LanguageScore:
    chosen = metric(name)
    sums = dict(zip(chosen.columns, rows.sum(axis=0).tolist(), strict=True))
    figures = {part: float(value) for part, value in chosen.parts(sums).items()}
    return LanguageScore(figures=figures, notes=notes or {})
