"""A cause of negative transfer: the intermediate made the encoder forget what pretraining gave it.

Columns that fine-tune nothing show it: a retrieval column shows how well languages are still aligned, a masked-LM
column how well the encoder still models each of them. *Before* is the row ``none``, the encoder as it is; *after* is
the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from stilts.analysis.probes import is_probe
from stilts.analysis.ranks import rank_correlation
from stilts.analysis.suspects import CauseVerdict, Check, Suspects
from stilts.fingerprint import Json
from stilts.metrics.averages import RETRIEVAL_GROUP
from stilts.study.record import NONE_ROW, Column

CAUSE = "forgetting"
LOSS_PART = "nll_nats"
# Rank correlation over the rows of a study: from the first on, rows that forget more lose more here; up to the second
# they do not. Between them a handful of rows says neither.
_ALONG, _APART = 0.4, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """What one untrained column saw: the change of its score with its interval, and by language."""

    column: str
    change: float
    low: float
    high: float
    languages: Mapping[str, Json]
    words: str

    def figures(self) -> dict[str, Json]:
        return {"change": self.change, "low": self.low, "high": self.high, "languages": dict(self.languages)}


def forgetting(suspects: Suspects, row: str, column: str) -> Check:
    """Whether alignment or language modelling fell after the intermediate, and fell most where the target lost most."""
    watchers = [c for c in watching_columns(suspects) if c.name != column]
    seen = [_watched(suspects, row, watcher) for watcher in watchers]
    there = [watched for watched in seen if watched is not None]
    figures: dict[str, Json] = {watched.column: watched.figures() for watched in there}
    advice = _to_add(suspects, watchers)
    if not there:
        own = f"{column} is itself the measure of alignment" if watchers != watching_columns(suspects) else ""
        line = "; ".join(filter(None, (own or "no column watches the encoder", advice)))
        return Check(cause=CAUSE, verdict=CauseVerdict.UNKNOWN, line=line, figures={})
    fell = [watched for watched in there if watched.high < 0]
    told = "; ".join(watched.words for watched in there)
    if not fell:
        return _check(CauseVerdict.AGAINST, f"{told}: nothing fell", advice, figures)
    along = _along(suspects, column, fell[0].column)
    figures["rank_correlation_over_rows"] = along
    if along is None:
        told += " (too few rows to see whether more forgetting costs more)"
        return _check(CauseVerdict.POINTS, told, advice, figures)
    goes = f"rank correlation of the gains here and on {fell[0].column} {along:+.2f} over the rows"
    verdict = (
        CauseVerdict.POINTS if along >= _ALONG else CauseVerdict.AGAINST if along <= _APART else CauseVerdict.UNKNOWN
    )
    return _check(verdict, f"{told}; {goes}", advice, figures)


def watching_columns(suspects: Suspects) -> list[Column]:
    """The study's columns that score the encoder as it is: masked-LM probes, and retrieval that trains nothing."""
    record = suspects.results.record
    trained = {replicate.column for replicate in record.replicates if replicate.target_stage is not None}
    return [
        column
        for column in record.columns
        if column.name not in trained and (is_probe(column) or column.group == RETRIEVAL_GROUP)
    ]


def _check(verdict: CauseVerdict, line: str, advice: str, figures: Mapping[str, Json]) -> Check:
    return Check(cause=CAUSE, verdict=verdict, line=f"{line}; {advice}" if advice else line, figures=figures)


def _to_add(suspects: Suspects, watchers: Sequence[Column]) -> str:
    """The line of the study file that would show more; empty where both kinds of column are there."""
    lacks = []
    if not any(is_probe(column) for column in watchers):
        lacks.append('"masked_lm:" for the language modelling')
    if not any(column.group == RETRIEVAL_GROUP for column in suspects.results.record.columns):
        lacks.append('"tatoeba:" for the alignment')
    return f"to see more, add {' and '.join(lacks)} of the encoder under targets: in the study file" if lacks else ""


def _watched(suspects: Suspects, row: str, column: Column) -> _Watched | None:
    results = suspects.results
    gain = results.gain(row, column.name)
    if gain is None:
        return None
    by_language: dict[str, Json] = {item.language: item.gain for item in results.language_gains(row, column.name)}
    words = f"{column.name} {gain.estimate:+z.1f} ({gain.low:+z.1f} to {gain.high:+z.1f})"
    losses = _losses(suspects, row, column) if is_probe(column) else {}
    if losses:
        by_language = {
            name: {"gain": by_language.get(name), "nll_before": before, "nll_after": after}
            for name, (before, after) in losses.items()
        }
        before, after = (fmean(pair[at] for pair in losses.values()) for at in (0, 1))
        words += f", masked-LM loss {before:.2f} to {after:.2f} nats"
    else:
        worst = sorted(((float(str(g)), name) for name, g in by_language.items()))[:3]
        words += f", most in {', '.join(f'{name} {value:+z.1f}' for value, name in worst)}" if gain.high < 0 else ""
    return _Watched(
        column=column.name, change=gain.estimate, low=gain.low, high=gain.high, languages=by_language, words=words
    )


def _losses(suspects: Suspects, row: str, column: Column) -> dict[str, tuple[float, float]]:
    """Masked-LM loss in nats per token before and after, by language, over done replicates."""
    found: dict[str, tuple[float, float]] = {}
    for language in column.languages:
        before, after = (_mean_loss(suspects, name, column, language) for name in (NONE_ROW, row))
        if before is not None and after is not None:
            found[language] = before, after
    return found


def _mean_loss(suspects: Suspects, row: str, column: Column, language: str) -> float | None:
    frame = suspects.results.frame
    ids = {replicate.replicate_id for replicate in suspects.cells.get((row, column.name), ())}
    lines = frame[(frame["use"] == "report") & (frame["language"] == language) & frame["replicate_id"].isin(ids)]
    losses = [float(parts[LOSS_PART]) for parts in lines["parts"] if LOSS_PART in parts]
    return fmean(losses) if losses else None


def _along(suspects: Suspects, column: str, watcher: str) -> float | None:
    """Rank correlation over rows between the gain on the target and the change on the watching column."""
    here, there = suspects.results.sides(column), suspects.results.sides(watcher)
    rows = [row for row in here if row in there and row != NONE_ROW]
    return rank_correlation([there[row].mean for row in rows], [here[row].mean for row in rows])
