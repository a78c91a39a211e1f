"""What a selecting policy's choices lose against the full grid, target by target, on the real mini study.

Two studies over the same rows and columns: one filled as a grid with replicates, one by a policy at half its seconds.
Each chooses a row per target by its own selection scores; both choices are judged by the grid's mean report scores
over replicates. Run, with both studies in stores:
python benchmarks/mini_selecting.py GRID_STUDY GRID_STORE SELECTING_STUDY SELECTING_STORE
"""

from __future__ import annotations

import argparse

import pandas as pd

from stilts.analysis.results import StudyResults
from stilts.app.places import load_record, open_store_at
from stilts.ledger.decisions import decisions
from stilts.ledger.state import State


def results(study: str, store: str) -> StudyResults:
    """A study's results."""
    opened = open_store_at(store)
    return StudyResults(record=load_record(study, opened), store=opened)


def chosen(found: StudyResults, rows: list[str]) -> dict[str, str]:
    """Per target, the row of those given with the highest mean selection score."""
    table = found.select_cells
    table = table[table["row"].isin(rows) & table["score"].notna()]
    best = table.loc[table.groupby("column")["score"].idxmax()]
    return {str(column): str(row) for column, row in zip(best["column"], best["row"], strict=True)}


def seconds(found: StudyResults, rows: list[str], at: StudyResults) -> float:
    """Seconds of all stages behind the replicates of these rows, as ``at`` measured the same stages."""
    stages: set[str] = set()
    for one in found.record.replicates:
        stage: object = one.evaluate_stage if one.row in rows else None
        while isinstance(stage, str):
            stages.add(stage)
            stage = found.record.stages[stage]["parent"]
    done = found.view.seconds
    return sum(at.view.seconds[stage] for stage in stages if stage in done)


def main() -> None:
    """Prints what both spent, and a line per target."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("grid_study", "grid_store", "selecting_study", "selecting_store"):
        parser.add_argument(name)
    given = parser.parse_args()
    grid, selecting = (
        results(given.grid_study, given.grid_store),
        results(given.selecting_study, given.selecting_store),
    )
    rows = [row.name for row in grid.record.rows if not row.searched]
    scores = grid.cells.set_index(["row", "column"])["score"]
    cells = selecting.cells[selecting.cells["row"].isin(rows)]
    tried = int((cells["state"] != State.LEFT_OUT).sum())
    whole, part = seconds(grid, rows, grid), seconds(selecting, rows, grid)
    print(f"grid: {whole:.0f} s of stages; selecting: {part:.0f} s of the same ({part / whole:.2f})", end="; ")
    print(f"{tried} of {len(cells)} cells, {int(cells['num_done'].sum())} replicates")
    ends = [one for one in decisions(selecting.store, selecting.record.name) if one.kind == "stop"]
    print(f"its end: {ends[-1].reason if ends else 'it has not ended'}")
    by_grid, by_policy = chosen(grid, rows), chosen(selecting, rows)
    lines = [
        {
            "target": target,
            "grid chose": row,
            "its score": scores[row, target],
            "policy chose": by_policy.get(target, ""),
            "score": scores[by_policy[target], target] if target in by_policy else float("nan"),
            "best row": scores.xs(target, level="column").loc[rows].idxmax(),
        }
        for target, row in by_grid.items()
    ]
    table = pd.DataFrame(lines)
    table["difference"] = table["score"] - table["its score"]
    print(table.round(2).to_string(index=False))
    print(f"worst difference: {table['difference'].min():+.2f} points")


if __name__ == "__main__":
    main()
