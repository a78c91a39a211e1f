"""Brings MLflow to what the store says, by writing only what differs.

A run is found again by its identity tag and left alone while its tag ``stilts.view_digest`` is that of the view.
The digest is written last but for the end status, so a run that a killed process left half written shows it. A run
that only gains something is extended; where a value changed (a gain, when another replicate of ``none`` is done)
MLflow could only append, so the run is replaced. Whoever may never need MLflow imports this file late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stilts.analysis.best import Answer
from stilts.analysis.results import StudyResults
from stilts.tracking.doubts import doubts_of
from stilts.tracking.existing import NOTE, experiment_id
from stilts.tracking.landing import experiment_tags, first_line, write_experiment_tags
from stilts.tracking.mlflow_settings import apply_settings, one_at_a_time, quieten
from stilts.tracking.run_files import Artifacts
from stilts.tracking.run_writer import RunWriter, SyncReport
from stilts.tracking.unreachable import explained
from stilts.tracking.views import run_views

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)

quieten()


def sync(
    results: StudyResults,
    tracking_uri: str,
    *,
    artifacts: Artifacts | None = None,
    note: str | None = None,
    answers: Sequence[Answer] | None = None,
    tables: Mapping[tuple[str, str], bytes] | None = None,
    rebuild: bool = False,
    running: bool = True,
) -> SyncReport:
    """What was written so that the experiment named after the study shows what the store holds.

    ``artifacts`` (path below the parent run's artifacts -> file or bytes) and ``note`` (Markdown) go to the parent run;
    None leaves them as they are. ``answers`` are ``answers_of(results)``, for the experiment's note, the doubts of the
    study's run and the intervals in the runs' notes; None does without, and leaves what stands there while nothing
    changed. ``tables`` are samples of predictions by the identity tag of their run; a run that had one keeps it.
    ``rebuild`` throws the study's runs away first and writes all anew. ``running`` says whether a process works on the
    study: without one no run is left RUNNING. Runs of ours that the record no longer knows, and doubles, go to MLflow's
    trash. Raises StiltsError when MLflow cannot be reached or refuses.
    """
    record = results.record
    study_file = {"study.yaml": record.text.encode()} if record.text else {}
    doubts = None if answers is None else doubts_of(results, answers)
    with explained(tracking_uri), one_at_a_time(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        experiment = experiment_id(client, record.name, tracking_uri)
        writer = RunWriter(client, experiment, tables or {}, doubts, rebuild=rebuild)
        for view in run_views(results, running=running, intervals=doubts.intervals if doubts else None):
            changed = writer.show(view)
            if view.is_parent:
                writer.annotate(note, {**study_file, **(artifacts or {})})
                tags = experiment_tags(experiment, writer.parent_id, first_line(view, answers), toy=record.toy)
                # Without answers, an answer that stands there holds while the study has come no further.
                write_experiment_tags(client, experiment, tags, keep=() if changed or answers is not None else (NOTE,))
        return writer.finish()
