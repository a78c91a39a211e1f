"""The transfer matrix: every replicate's scores as a tidy table, and the cells that they make.

Start at ``load_matrix``. What became of a replicate is the view's to say (``ledger/view.py``). Only done replicates
have a score, and what is not done is counted, never averaged over.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stilts.analysis.proposals import chosen_proposals
from stilts.ledger.state import State, worst
from stilts.ledger.view import StudyView
from stilts.study.record import NONE_ROW, Column, Replicate, StudyRecord

# A mean over languages within this many points of guessing says little about transfer: seeds alone move scores
# by one to three points (TaskWeb's standard deviations, DESIGN section 7).
NEAR_CHANCE_PP = 10.0
# Where guessing is right less than once in a hundred (retrieval), the mark is a multiple of it instead.
_RARE_CHANCE, _RARE_FACTOR = 1.0, 10.0


MATRIX_COLUMNS = (
    "row",
    "column",
    "replicate_id",
    "intermediate_seed",
    "target_seed",
    "proposal",
    "confirms",
    "use",
    "language",
    "state",
    "score",
    "parts",
    "num_items",
    "chance",
    "key",
)


def load_matrix(view: StudyView) -> pd.DataFrame:
    """One row per (replicate, use, language), with the columns of ``MATRIX_COLUMNS``.

    ``score`` is 0..100; ``score``, ``num_items`` and ``chance`` are missing, and ``parts`` is empty, where ``state`` is
    not done. ``parts`` maps the metric's further figures to values. Seeds and ``proposal`` are nullable integers;
    ``confirms`` marks what trains a chosen proposal again with fresh seeds.
    """
    lines = [
        _line(replicate, use, language, key, states[key], view)
        for replicate in view.record.replicates
        for states in (view.output_states(replicate),)
        for use, outputs in replicate.outputs.items()
        for language, key in outputs.items()
    ]
    frame = pd.DataFrame(lines, columns=list(MATRIX_COLUMNS))
    integers = ("intermediate_seed", "target_seed", "proposal", "num_items")
    return frame.astype(
        {**dict.fromkeys(integers, "Int64"), "confirms": "bool", "score": "float64", "chance": "float64"}
    )


def replicate_scores(frame: pd.DataFrame, use: str) -> pd.DataFrame:
    """One row per replicate: its score and chance level as means over languages, in 0..100.

    ``state`` is done only where every language of the use is; ``score`` is missing elsewhere. ``chance`` is missing
    where any language has none.
    """
    parts = frame[frame["use"] == use]
    grouped = parts.groupby("replicate_id", sort=False)
    names = list(MATRIX_COLUMNS[:7])
    first = grouped[[name for name in names if name != "replicate_id"]].first()
    # A mean that any missing language makes missing: pandas' own mean passes over them.
    means = {name: grouped[name].sum(min_count=1) / grouped["key"].size() for name in ("score", "chance")}
    whole = {name: means[name].where(grouped[name].count() == grouped["key"].size()) for name in means}
    order = list(State)
    rank = parts["state"].map({str(state): number for number, state in enumerate(order)})
    states = rank.groupby(parts["replicate_id"], sort=False).max().map(lambda number: str(order[number]))
    table = first.assign(state=states, **whole).reset_index()[[*names, "state", "score", "chance"]]
    return table.astype({"score": "float64", "chance": "float64", "proposal": "Int64"})


def cells(
    record: StudyRecord, frame: pd.DataFrame, use: str = "report", *, objective: str | None = None
) -> pd.DataFrame:
    """One row per (row, column) of the study, in its order: the matrix itself.

    ``score`` averages done replicates (within an intermediate seed first); ``gain`` is over ``none``, in points;
    ``sd`` is the spread over done replicates (missing for one); ``num_done`` of ``num_planned`` replicates are there.
    ``state`` is done, or that of the most serious replicate that is not. In a searched row the cell is that of
    ``proposal`` (see ``proposals.py``; missing while none can be chosen), by the replicates that confirm it; until
    there is one it is *unconfirmed*: its score is that of the search, and it has no gain. ``chance`` is the level of
    guessing as measured, else as the column states it; ``near_chance`` marks scores below ``chance_ceiling``.
    ``overlap`` says what a row shares with the column, or is missing. ``objective``: of rows that were searched for it
    what they found for it.
    """
    scores = replicate_scores(frame, use)
    chosen = chosen_proposals(record, frame, objective)
    overlaps = {(row, column): why for row, column, why in record.overlaps}
    lines = [
        _cell(scores[_of_cell(scores, row.name, column.name)], row.name, column, chosen, row.searched)
        | {"overlap": overlaps.get((row.name, column.name))}
        for row in record.rows
        for column in record.columns
        if use == "report" or column.select_languages
    ]
    table = pd.DataFrame(lines, columns=[*_CELL_COLUMNS, "overlap"]).astype({"proposal": "Int64", "chance": "float64"})
    claims = table["state"] != State.UNCONFIRMED
    base = table[claims & (table["row"] == NONE_ROW)].set_index("column")["score"]
    gain = table["score"] - table["column"].map(base).astype("float64")
    table.insert(3, "gain", gain.where(claims))
    return table


def language_scores(
    record: StudyRecord, frame: pd.DataFrame, use: str = "report", *, objective: str | None = None
) -> pd.DataFrame:
    """One row per (row, column, language) that is done: the score behind ``cells``, averaged in the same way."""
    done = done_in_cells(record, frame, use, objective=objective)
    lines = frame[(frame["use"] == use) & frame["replicate_id"].isin(done)]
    names = ["row", "column", "language"]
    by_seed = lines.assign(seed=lines["intermediate_seed"].astype("object").fillna(lines["replicate_id"]))
    means = by_seed.groupby([*names, "seed"], sort=False, as_index=False)["score"].mean()
    averaged: pd.DataFrame = means.groupby(names, sort=False, as_index=False)["score"].mean()
    return averaged


def done_in_cells(
    record: StudyRecord, frame: pd.DataFrame, use: str = "report", *, objective: str | None = None
) -> frozenset[str]:
    """The ids of the replicates that cells claim by: done, and in a searched row those that confirm its choice."""
    scores = replicate_scores(frame, use)
    chosen = chosen_proposals(record, frame, objective)
    searched = {row.name for row in record.rows if row.searched}
    done = scores[scores["state"] == State.DONE]
    proposals = done["proposal"].astype("object")
    return frozenset(
        str(name)
        for name, row, column, proposal, confirms in zip(
            done["replicate_id"], done["row"], done["column"], proposals, done["confirms"], strict=True
        )
        if row not in searched or (confirms and chosen.get((row, column)) == proposal)
    )


_CELL_COLUMNS = (
    "row",
    "column",
    "score",
    "sd",
    "num_done",
    "num_planned",
    "state",
    "proposal",
    "chance",
    "near_chance",
)


def _of_cell(scores: pd.DataFrame, row: str, column: str) -> pd.Series[bool]:
    return (scores["row"] == row) & (scores["column"] == column)


def _cell(
    replicates: pd.DataFrame, row: str, column: Column, chosen: Mapping[tuple[str, str], int], searched: bool
) -> dict[str, object]:
    proposal = chosen.get((row, column.name))
    unconfirmed = False
    if proposal is not None:
        replicates = replicates[replicates["proposal"] == proposal]
        confirming = replicates[replicates["confirms"]]
        unconfirmed = not (confirming["state"] == State.DONE).any()
        replicates = replicates[~replicates["confirms"]] if unconfirmed else confirming
    done = replicates[replicates["state"] == State.DONE]
    if searched and proposal is None:
        done = done.iloc[:0]  # Without a choice no proposal stands for the row.
    by_seed = done.assign(seed=done["intermediate_seed"].astype("object").fillna(done["replicate_id"]))
    score = by_seed.groupby("seed", sort=False)["score"].mean().mean() if len(done) else float("nan")
    measured = done["chance"].mean()
    chance = column.chance if pd.isna(measured) else measured
    complete = len(done) == len(replicates) and len(done) > 0
    rest = set(replicates["state"]) - {State.DONE}
    nobody_asked = len(replicates) == 0 and not searched
    return {
        "row": row,
        "column": column.name,
        "score": score,
        "sd": done["score"].std(ddof=1) if len(done) > 1 else float("nan"),
        "num_done": len(done),
        "num_planned": len(replicates),
        "state": State.UNCONFIRMED if unconfirmed else _state_of_cell(complete, rest, nobody_asked),
        "proposal": proposal,
        "chance": chance,
        "near_chance": bool(score < chance_ceiling(chance)),
    }


def _state_of_cell(complete: bool, rest: set[str], nobody_asked: bool) -> str:
    if complete:
        return str(State.DONE)
    return str(worst(rest or {State.LEFT_OUT if nobody_asked else State.MISSING}))


def chance_ceiling(chance: float | None) -> float:
    """The score, 0..100, below which a mean over languages counts as near guessing; unknown chance counts as 0."""
    known = 0.0 if chance is None or pd.isna(chance) else float(chance)
    return _RARE_FACTOR * known if 0.0 < known < _RARE_CHANCE else known + NEAR_CHANCE_PP


def _line(replicate: Replicate, use: str, language: str, key: str, state: State, view: StudyView) -> dict[str, object]:
    result = view.evaluations.result(key) if state is State.DONE else None
    return {
        "row": replicate.row,
        "column": replicate.column,
        "replicate_id": replicate.replicate_id,
        "intermediate_seed": replicate.intermediate_seed,
        "target_seed": replicate.target_seed,
        "proposal": replicate.proposal,
        "confirms": replicate.confirms,
        "use": use,
        "language": language,
        "state": str(state),
        "parts": dict(result.parts) if result else {},
        "key": key,
        "score": result.score if result else None,
        "num_items": result.num_items if result else None,
        "chance": result.chance if result else None,
    }
