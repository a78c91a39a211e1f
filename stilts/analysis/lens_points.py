"""What the language lens looks at: one gain per language, with what is known of the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stilts.analysis.best import answers_of
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.errors import InputError, UnknownNameError
from stilts.ledger.records import FERTILITY
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW
from stilts.tasks.language_codes import base_language, known_language
from stilts.tasks.language_groups import group_of
from stilts.tasks.languages import TOY_FAMILY, Language

SOURCE_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class LensPoint:
    """A language's gain over ``none``, in points, of ``row`` on ``column``, with the language's properties.

    ``column`` is None where the gain is pooled over targets, ``row`` then too if the targets' rows differ.
    ``tokens_per_word`` is measured under the study's tokenizer, ``distance`` is URIEL's syntactic one (0 to 1).
    """

    language: str
    name: str
    column: str | None
    row: str | None
    gain: float
    group: str
    family: str
    genus: str | None
    script: str
    morphology: str | None
    resource: int | None
    cc100_gib: float | None
    tokens_per_word: float | None
    distance: float | None

    @property
    def is_toy(self) -> bool:
        """Whether the language is artificial."""
        return self.family == TOY_FAMILY


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """``table``: one line per (language, target). ``points``: one per language. ``notes``: what is not there, why."""

    table: tuple[LensPoint, ...]
    points: tuple[LensPoint, ...]
    notes: tuple[str, ...]


def gather(results: StudyResults, *, by: str, column: str | None, row: str | None) -> Points:
    """The gains by language of one target, or pooled over all.

    Pooled: each target's mean gain over its languages is taken out, what is left is averaged over the targets that have
    the language, and the mean of the targets' means is put back. So no language looks better because it
    is in an easier target; where all targets have the same languages this is the plain average.
    """
    rows, notes = _rows(results, column, row)
    fertility, said = tokens_per_word(results.store, results.record.name)
    table: list[LensPoint] = []
    for name, chosen in rows.items():
        table.extend(_column_points(results, name, chosen, by, fertility))
    unknown = sorted({code for name in rows for code in results.column(name).languages if not known_language(code)})
    if unknown:
        notes.append(f"not in the table of languages, left out: {', '.join(unknown)}")
    if any(base_language(code) == SOURCE_LANGUAGE for name in rows for code in results.column(name).languages):
        notes.append("English is left out: it is the language of training")
    notes.extend(said)
    return Points(table=tuple(table), points=_pooled(table), notes=tuple(notes))


def points_over(
    results: StudyResults, *, by: str, columns: Sequence[str], row: str, over: str
) -> tuple[LensPoint, ...]:
    """The gains of a row over another by language, pooled over columns as ``gather`` pools them."""
    return _pooled([one for name in columns for one in _column_points(results, name, row, by, {}, over)])


def tokens_per_word(store: ArtifactStore, study: str) -> tuple[Mapping[str, float], tuple[str, ...]]:
    """Tokens per word by language as ``stilts run`` measured them, and what is to be said of that."""
    record = FERTILITY.known(store, study)
    if record is None:
        return {}, ("tokens per word were not measured: run the study again, which adds them",)
    lines = record.languages
    ratios = {code: line.tokens_per_word for code, line in lines.items() if line.tokens_per_word is not None}
    sources = sorted({lines[code].source for code in ratios})
    mixed = f"tokens per word rest on {' in some languages, on '.join(sources)} in others: they compare loosely"
    return ratios, (mixed,) if len(sources) > 1 else ()


def _rows(results: StudyResults, column: str | None, row: str | None) -> tuple[dict[str, str], list[str]]:
    """The row to look at per target, and notes on targets that have none."""
    targets = [item.name for item in targets_of(results.record)]
    names = targets if column is None else [results.column(column).name]
    if row is not None:
        _check_row(results, row)
        return dict.fromkeys(names, row), []
    rows, notes = {}, []
    answers = {answer.target: answer for answer in answers_of(results)}
    for name in names:
        if name not in answers:
            notes.append(f"{name}: a probe of masked LM has no best row; name one")
            continue
        chosen = answers[name].row
        if chosen is None or chosen == NONE_ROW:
            what = "nothing is done yet" if chosen is None else "the best row is none, which has no gain"
            notes.append(f"{name}: {what}")
        else:
            rows[name] = chosen
            if answers[name].chosen is None:
                notes.append(f"{name}: its row {chosen} is the highest on report (oracle)")
    return rows, notes


def _check_row(results: StudyResults, row: str) -> None:
    known = [item.name for item in results.record.rows]
    if row not in known:
        raise UnknownNameError("row", row, known)
    if row == NONE_ROW:
        raise InputError(
            f'row "{NONE_ROW}"',
            "it has no gain",
            "Gains are over this row",
            f"Name another: {', '.join(name for name in known if name != NONE_ROW)}",
        )


def _column_points(
    results: StudyResults, column: str, row: str, by: str, fertility: Mapping[str, float], over: str = NONE_ROW
) -> list[LensPoint]:
    scores = results.language_scores
    own = scores[scores["column"] == column].set_index(["row", "language"])["score"]
    codes = [code for code in results.column(column).languages if base_language(code) != SOURCE_LANGUAGE]
    return [
        _point(known, column, row, float(own[row, code] - own[over, code]), by, fertility.get(code))
        for code in codes
        if (known := known_language(code)) and (row, code) in own.index and (over, code) in own.index
    ]


def _point(known: Language, column: str, row: str, gain: float, by: str, ratio: float | None) -> LensPoint:
    return LensPoint(
        language=known.code,
        name=known.name,
        column=column,
        row=row,
        gain=gain,
        group=group_of(known.code, by),
        family=known.family,
        genus=known.genus,
        script=known.script,
        morphology=known.morphology,
        resource=known.resource,
        cc100_gib=known.cc100_gib,
        tokens_per_word=ratio,
        distance=known.distance,
    )


def _pooled(table: list[LensPoint]) -> tuple[LensPoint, ...]:
    by_column: dict[str | None, list[float]] = {}
    by_language: dict[str, list[LensPoint]] = {}
    for point in table:
        by_column.setdefault(point.column, []).append(point.gain)
        by_language.setdefault(point.language, []).append(point)
    if len(by_column) == 1:
        return tuple(table)
    means = {name: _mean(gains) for name, gains in by_column.items()}
    level = _mean(list(means.values())) if means else 0.0
    return tuple(
        replace(
            points[0],
            column=None,
            row=points[0].row if len({point.row for point in points}) == 1 else None,
            gain=level + _mean([point.gain - means[point.column] for point in points]),
        )
        for points in by_language.values()
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
