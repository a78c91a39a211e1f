"""How MLflow's UI opens a study: the answer as the experiment's note, the runs in a view of our choosing, the links.

A *shared view* is a tag of the experiment that the UI reads by a key in the link (MLflow 3.17): columns, order, filter
and charts. It does not import MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from stilts.analysis.best import Answer
from stilts.analysis.glance import study_line
from stilts.fingerprint import Json
from stilts.tracking.existing import MAX_TAG_CHARS, NOTE
from stilts.tracking.run_view import RunStatus, RunView
from stilts.tracking.study_link import TRAINING, VIEW_TAG, runs_page

if TYPE_CHECKING:
    from mlflow import MlflowClient

_TOY = "Toy data and encoder: the figures say nothing about real tasks."
# Ids of our charts' section and of MLflow's own, with a chart for every metric, which stays folded below ours.
_OURS, _MODEL = "stilts", "stilts-model"
# What a run's name takes, in CSS pixels.
_NAME_WIDTH = 260


def experiment_tags(experiment_id: str, parent_id: str, line: str, *, toy: bool) -> dict[str, str]:
    """The note, which begins with ``line`` and links to the runs, and the view in which they are opened."""
    runs = runs_page(experiment_id).removeprefix("/")
    links = {
        "Runs, the highest gain first": runs,
        "charts": f"{runs}&compareRunsMode=CHART",
        "matrix and report": f"#/experiments/{experiment_id}/runs/{parent_id}?{TRAINING}",
    }
    written = " · ".join(f"[{name}]({link})" for name, link in links.items())
    note = "\n\n".join([line, *([_TOY] if toy else []), written])
    return {NOTE: note[:MAX_TAG_CHARS], VIEW_TAG: json.dumps(_view(), sort_keys=True)}


def first_line(parent: RunView, answers: Sequence[Answer] | None) -> str:
    """The answer with its doubt; how far the study is where no answer was made."""
    if answers is not None:
        return study_line(answers)
    tags = parent.tags
    failed = f", {tags['replicates.failed']} failed" if tags["replicates.failed"] != "0" else ""
    goes_on = parent.status is RunStatus.PARTIAL
    what = "the answer comes with the end of the run" if goes_on else '"stilts track" writes the answer'
    return f"{tags['replicates.done']} of {tags['replicates']} replicates done{failed}; {what}"


def write_experiment_tags(
    client: MlflowClient, experiment_id: str, tags: Mapping[str, str], *, keep: Collection[str] = ()
) -> None:
    """Writes those tags that differ; of those to ``keep`` only what is missing."""
    before = client.get_experiment(experiment_id).tags
    for key, value in tags.items():
        if before.get(key) != value and not (key in keep and key in before):
            client.set_experiment_tag(experiment_id, key, value)


def _view() -> dict[str, Json]:
    """The replicates without the runs above them, the highest gain first, and charts of gain, score and selection."""
    shown = ["tags.`intermediate`", "tags.`target`", "metrics.`score`", "metrics.`gain`", "metrics.`select`"]
    return {
        "searchFilter": "tags.`stilts.kind` = 'replicate'",
        "orderByKey": "metrics.`gain`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "selectedColumns": [*shown],
        "columnOrder": ["attributes.`Run Name`", *shown],
        "columnWidths": {"attributes.`Run Name`": _NAME_WIDTH},
        "runsHiddenMode": "FIRST_20_RUNS",
        "hideEmptyCharts": True,
        "isAccordionReordered": True,
        "compareRunCharts": [
            _chart("gain", type="BAR", metricKey="gain", displayName="gain", runsCountToCompare=20),
            _chart(
                "cells",
                type="PARALLEL",
                selectedParams=["intermediate", "target"],
                selectedMetrics=["score", "gain"],
                showAllRuns=True,
            ),
            _chart(
                "selection",
                type="SCATTER",
                runsCountToCompare=100,
                xaxis={"key": "select", "type": "METRIC"},
                yaxis={"key": "score", "type": "METRIC"},
            ),
        ],
        "compareRunSections": [
            _section(_OURS, "Score and gain", display=True),
            _section(_MODEL, "Model metrics", display=False),
        ],
    }


def _chart(name: str, **settings: Json) -> dict[str, Json]:
    ours: dict[str, Json] = {"metricSectionId": _OURS, "deleted": False, "isGenerated": False}
    return {"uuid": f"{_OURS}-{name}", **ours, **settings}


def _section(uuid: str, name: str, *, display: bool) -> dict[str, Json]:
    own = uuid == _OURS
    return {
        "uuid": uuid,
        "name": name,
        "display": display,
        "isReordered": own,
        "deleted": False,
        "isGenerated": not own,
    }
