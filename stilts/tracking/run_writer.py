"""Writes run views into one experiment of MLflow; ``sync.py`` says by which rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from stilts.tracking.configs import CONFIG_FILE
from stilts.tracking.doubts import Doubts, is_doubt, with_doubts
from stilts.tracking.existing import (
    ARTIFACTS_DIGEST,
    DIGEST,
    MAX_PARAM_CHARS,
    MAX_TAG_CHARS,
    NOTE,
    PARENT,
    RUN_STATUS,
    can_extend,
    identity_of,
    inputs_of,
    our_runs,
)
from stilts.tracking.mlflow_settings import apply_settings
from stilts.tracking.predictions import PREDICTIONS_FILE
from stilts.tracking.ray_job import TAGS as JOB_TAGS
from stilts.tracking.ray_job import job_tags
from stilts.tracking.run_files import Artifacts, carry_over, upload, write_note
from stilts.tracking.run_view import DataInput, MetricPoint, RunView

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag  # noqa: E402

# MLflow takes at most 100 parameters, 100 tags and 1000 of all together in one batch.
_MAX_PARAMS, _MAX_TAGS = 100, 100
_MAX_METRICS = 1000 - _MAX_PARAMS - 3  # the last batch has three tags: digests of view and artifacts, the table

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """How many runs a sync made, changed, left alone and removed; ``run_ids`` by identity tag (key, value)."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    run_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)


class RunWriter:
    """Writes views into one experiment; the parent's view must come first."""

    def __init__(
        self,
        client: MlflowClient,
        experiment_id: str,
        tables: Mapping[tuple[str, str], bytes],
        doubts: Doubts | None,
        *,
        rebuild: bool,
    ) -> None:
        self.client = client
        self._tables = tables
        self._doubts = doubts
        self.experiment_id = experiment_id
        self.parent_id = ""
        self.parent_tags: dict[str, str] = {}
        self._counts = {"created": 0, "updated": 0, "unchanged": 0, "removed": 0}
        self._run_ids: dict[tuple[str, str], str] = {}
        self._existing: dict[tuple[str, str], Run] = {}
        for run in our_runs(client, experiment_id):
            if rebuild or identity_of(run) in self._existing:
                self._remove(run.info.run_id)
            else:
                self._existing[identity_of(run)] = run

    def show(self, view: RunView) -> bool:
        """Makes the view's run, or changes it where it differs; whether it did."""
        before = self._counts["unchanged"]
        run = self._existing.pop(view.identity, None)
        if run is None:
            run_id = self._create(view)
            self._counts["created"] += 1
        else:
            run_id = self._update(run, view)
        self._run_ids[view.identity] = run_id
        if view.is_parent:
            self.parent_id = run_id
            self.parent_tags = dict(run.data.tags) if run is not None else {}
        return self._counts["unchanged"] == before

    def finish(self) -> SyncReport:
        """Removes what no view claimed, and counts."""
        for run in self._existing.values():
            self._remove(run.info.run_id)
        return SyncReport(**self._counts, run_ids=self._run_ids)

    def annotate(self, note: str | None, artifacts: Artifacts) -> None:
        """Writes note, artifacts and job to the parent run where they differ, and counts it as updated then."""
        noted = note is not None and write_note(self.client, self.parent_id, self.parent_tags, note)
        job = dict(job_tags().items() - self.parent_tags.items())
        tags = upload(self.client, self.parent_id, self.parent_tags, artifacts) | job
        self._tag(self.parent_id, tags)
        if (noted or tags) and self._counts["unchanged"]:
            self._counts["unchanged"] -= 1
            self._counts["updated"] += 1

    def _update(self, run: Run, view: RunView) -> str:
        run_id: str = run.info.run_id
        doubted = view.is_parent and self._holds_other_doubts(run, view)
        if not doubted and run.data.tags.get(DIGEST) == view.digest and run.info.status == RUN_STATUS[view.status]:
            return self._keep(run, view)
        self._counts["updated"] += 1
        if not doubted and can_extend(run, view):
            return self._complete(run, view)
        new_id = self._create(view)
        if view.is_parent:
            carry_over(self.client, run, new_id)
        self.client.delete_run(run_id)
        return new_id

    def _holds_other_doubts(self, run: Run, view: RunView) -> bool:
        """Whether the study's run shows doubts that are no longer true: a metric's value can only be appended to."""
        if self._doubts is None:
            return False
        true = {point.name: point.value for point in self._points(view)}
        return any(true.get(name) != value for name, value in run.data.metrics.items() if is_doubt(name))

    def _keep(self, run: Run, view: RunView) -> str:
        """Leaves a run as it is, but for the parent that it names, its note and its table of predictions."""
        run_id: str = run.info.run_id
        linked = view.is_parent or run.data.tags.get(PARENT) == self.parent_id
        tags = {} if linked else {PARENT: self.parent_id}
        note = view.note + view.cell_note
        if self._doubts is not None and note and run.data.tags.get(NOTE) != note:  # without them it would lose its end
            tags[NOTE] = note
        if not view.is_parent:
            tags |= upload(self.client, run_id, run.data.tags, self._files(view))
        self._tag(run_id, tags)
        new = self._new_metrics(run, view) if view.is_parent else []  # doubts that were not known before
        for chunk in _chunks(new, _MAX_METRICS):
            self.client.log_batch(run_id, chunk, synchronous=True)
        self._counts["updated" if tags or new else "unchanged"] += 1
        return run_id

    def _points(self, view: RunView) -> tuple[MetricPoint, ...]:
        """The view's points, with doubts where there are any to show."""
        return with_doubts(self._doubts, view) if view.is_parent and self._doubts is not None else view.points

    def _new_metrics(self, run: Run, view: RunView) -> list[Metric]:
        points = (point for point in self._points(view) if point.name not in run.data.metrics)
        return [Metric(point.name, point.value, point.time_ms, point.step) for point in points]

    def _files(self, view: RunView) -> dict[str, bytes]:
        """The artifacts of a run other than the parent."""
        files = {CONFIG_FILE: view.config.encode()} if view.config else {}
        return files | ({PREDICTIONS_FILE: self._tables[view.identity]} if view.identity in self._tables else {})

    def _tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        if tags:
            self.client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()], synchronous=True)

    def _create(self, view: RunView) -> str:
        run = self.client.create_run(
            self.experiment_id, start_time=view.started_ms, tags=self._tags(view), run_name=view.name
        )
        return self._complete(run, view)

    def _complete(self, run: Run, view: RunView) -> str:
        """Adds what of the view the run does not show yet, the digest last but for how it ended."""
        run_id: str = run.info.run_id
        tags = self._tags(view)
        for key in run.data.tags.keys() - tags.keys():
            if not key.startswith("mlflow.") and key not in (DIGEST, ARTIFACTS_DIGEST, *JOB_TAGS):
                self.client.delete_tag(run_id, key)
        for chunk in _chunks(sorted(tags.items() - run.data.tags.items()), _MAX_TAGS):
            self._tag(run_id, dict(chunk))
        if run.info.run_name != view.name:
            self.client.update_run(run_id, name=view.name)
        self._log(run, view)
        self._end(run_id, view, run.info.status)
        return run_id

    def _log(self, run: Run, view: RunView) -> None:
        run_id, known = run.info.run_id, inputs_of(run)
        params = [Param(k, v[:MAX_PARAM_CHARS]) for k, v in sorted(view.params.items()) if k not in run.data.params]
        metrics = self._new_metrics(run, view)
        inputs = [_dataset_input(each) for each in view.inputs if (each.name, each.digest) not in known]
        # Files come first: MLflow reads the run in order to know where they go, and an empty run is read quickly.
        files = {} if view.is_parent else upload(self.client, run_id, run.data.tags, self._files(view))
        if inputs:
            self.client.log_inputs(run_id, datasets=inputs)
        last = [RunTag(key, value) for key, value in {**files, DIGEST: view.digest}.items()]
        while len(params) > _MAX_PARAMS or len(metrics) > _MAX_METRICS:
            self.client.log_batch(run_id, metrics[:_MAX_METRICS], params[:_MAX_PARAMS], synchronous=True)
            params, metrics = params[_MAX_PARAMS:], metrics[_MAX_METRICS:]
        # Nearly always the only batch, for every transaction costs.
        self.client.log_batch(run_id, metrics, params, last, synchronous=True)

    def _end(self, run_id: str, view: RunView, status_before: str) -> None:
        """Ends the run as its view says; one that was stopped and goes on keeps its old end until the new one."""
        if view.ended_ms is not None:
            self.client.set_terminated(run_id, status=RUN_STATUS[view.status], end_time=view.ended_ms)
        elif status_before != RUN_STATUS[view.status]:
            self.client.update_run(run_id, status=RUN_STATUS[view.status])

    def _tags(self, view: RunView) -> dict[str, str]:
        tags = {key: value[:MAX_TAG_CHARS] for key, value in view.tags.items()}
        tags |= {NOTE: view.note + view.cell_note} if view.note else {}
        return tags if view.is_parent else tags | {PARENT: self.parent_id}

    def _remove(self, run_id: str) -> None:
        self.client.delete_run(run_id)
        self._counts["removed"] += 1


def _dataset_input(view: DataInput) -> DatasetInput:
    dataset = Dataset(name=view.name, digest=view.digest, source_type="stilts", source=view.source)
    return DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", view.context)])


def _chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
