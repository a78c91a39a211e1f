"""Prints, as Markdown, whether zero-shot transfer is real in a study: the row ``none`` by language beside chance.

    python benchmarks/zero_shot.py STUDY --store STORE

Chance is what the evaluation recorded: the majority label's accuracy, or one right candidate among all.
"""

from __future__ import annotations

import argparse

import pandas as pd

from stilts.analysis.matrix import load_matrix
from stilts.app.places import load_record, open_store_at
from stilts.ledger.view import StudyView
from stilts.study.record import NONE_ROW


def main() -> None:
    """Reads the arguments and prints one table per target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--store")
    arguments = parser.parse_args()
    store = open_store_at(arguments.store)
    record = load_record(arguments.study, store)
    frame = load_matrix(StudyView(record=record, store=store))
    own = frame[(frame["row"] == NONE_ROW) & (frame["use"] == "report")]
    for column in record.columns:
        means = own[own["column"] == column.name].groupby("language", sort=False)[["score", "chance"]].mean()
        print(f"\n{column.name} ({column.metric}), row none\n")
        print(f"| | {' | '.join(means.index)} |\n|---|{'---|' * len(means)}")
        for name in ("score", "chance"):
            print(f"| {name} | {' | '.join(_figure(value) for value in means[name])} |")


def _figure(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1f}"


if __name__ == "__main__":
    main()
