"""What the notes of an answer say about rows that a selecting policy left out."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.wording import _left_out_note
from stilts.ledger.state import State
from stilts.study.record import NONE_ROW


def test_a_row_that_was_left_out_is_not_said_to_be_unlikely_to_win() -> None:
    """A budget may have ended the study: the stop's reason says it, not this note."""
    report = pd.DataFrame({"state": [State.DONE, State.LEFT_OUT]}, index=[NONE_ROW, "mnli"])
    note = _left_out_note(report)
    assert "mnli" in note and "stilts explain" in note and "unlikely" not in note
    assert _left_out_note(report.iloc[:1]) == ""
