"""A finished study for golden texts, filled without training: its figures are the same on every machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.synthetic_study import STARTED, Size, publish_evaluations, publish_training, study
from stilts.ledger.decision import ProposalRecord
from stilts.ledger.records import FAILURES, PROPOSALS, Failure, number_part
from stilts.ledger.study_record import write_study
from stilts.store import make_store
from stilts.study.record import StudyRecord

NAME = "small"
_SIZE = Size(rows=4, columns=5, seeds=2, languages=3, items=60)


def write_golden_store(folder: Path) -> StudyRecord:
    """Fills a store; one cell has a replicate that failed, one has none, and one decision was kept."""
    store = make_store(str(folder))
    record = replace(study(NAME, _SIZE), toy=False)
    failed = next(one for one in record.replicates if (one.row, one.column) == ("task03", "target04"))
    gone = [one for one in record.replicates if (one.row, one.column) == ("task02", "target04")]
    absent = {failed.replicate_id, *(one.replicate_id for one in gone)}
    without = {one.target_stage for one in record.replicates if one.replicate_id in absent}
    for stage_id, stage in record.stages.items():
        if stage["kind"] == "train" and stage_id not in without:
            publish_training(stage_id, dict(stage), store)
    for one in record.replicates:
        if one.replicate_id not in absent:
            publish_evaluations(one, store, _SIZE)
    stage_id = str(failed.target_stage)
    error = "target04, line 17: the label is none of yes, no"
    FAILURES.write(store, Failure(stage_id=stage_id, error=error, kind="DataError", attempts=1, time=STARTED), stage_id)
    drawn = ProposalRecord(
        row="task01",
        number=0,
        params={"learning_rate": 2e-5, "weights": {"mnli": 0.4, "squad": 0.6}},
        time=STARTED,
        reason="Drawn by tpe for target00, which knows 0 scored recipes.",
    )
    PROPOSALS.write(store, drawn, NAME, drawn.row, number_part(drawn.number))
    write_study(store, record)
    return record
