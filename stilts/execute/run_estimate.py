"""An estimate stage: a figure of an encoder on data, of a dataset, or of two, published under the stage's id."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from stilts.data.load import load_examples
from stilts.errors import InputError
from stilts.estimate.features import Features, labelled_features, mean_embedding
from stilts.estimate.h_score import h_score
from stilts.estimate.logme import logme
from stilts.estimate.text_overlap import text_overlap
from stilts.execute.inputs import preparation, start_weights
from stilts.fingerprint import Json
from stilts.kinds.scorer import Scorer
from stilts.models.model import load_model
from stilts.store.artifact_store import ArtifactStore, Lease
from stilts.study.config import Precision
from stilts.study.stage import LABELLED, Estimate, EstimateData, EstimateStage
from stilts.tasks.example import Example
from stilts.training.device import autocast, execution_record, set_up
from stilts.training.rank_group import of_rank
from stilts.training.run_config import RunConfig

_BY_LABELS: Mapping[Estimate, Callable[[Features], float]] = {
    Estimate.LOGME: lambda found: logme(found.vectors, found.labels),
    Estimate.H_SCORE: lambda found: h_score(found.vectors, found.labels),
}


def run_estimate(stage: EstimateStage, store: ArtifactStore, run: RunConfig, lease: Lease) -> None:
    """Works out the stage's figure and publishes it; None where labels or features are all alike and say nothing."""
    started = time.time()
    value = _value(stage, store, run)
    ended = time.time()
    result: dict[str, Json] = {
        "kind": stage.kind.value,
        "stage_id": stage.stage_id,
        "name": stage.name,
        "parent": stage.parent,
        "estimate": stage.estimate.value,
        "value": value,
        "started": started,
        "ended": ended,
        "seconds": ended - started,
        "execution": execution_record(run),
    }
    with tempfile.TemporaryDirectory(dir=run.scratch_dir, prefix="stilts-artifact-") as name:
        (Path(name) / "estimate.json").write_text(json.dumps({"estimate": stage.estimate.value, "value": value}))
        store.publish(stage.stage_id, Path(name), payload=stage.payload, result=result, lease=lease)


def _value(stage: EstimateStage, store: ArtifactStore, run: RunConfig) -> Json:
    if stage.estimate is Estimate.SIZE:
        return len(_examples(stage.data[0], run))
    if stage.estimate is Estimate.TEXT_OVERLAP:
        source, target = stage.data
        return text_overlap(_examples(source, run), _examples(target, run))
    return _by_model(stage, store, run)


def _by_model(stage: EstimateStage, store: ArtifactStore, run: RunConfig) -> Json:
    """What the stage's encoder makes of its data: a figure, or the mean vector as a list."""
    run = of_rank(run, 0)  # one rank works: a pass over a few thousand examples
    device = set_up(run)
    weights = start_weights(stage, store, run)
    if weights is None:
        raise InputError(
            f"estimate stage {stage.stage_id}",
            "it starts from random weights",
            "There is nothing to look at",
            "Give it a parent stage or a pretrained encoder",
        )
    prepared = preparation(stage, weights.base, run)
    model, _ = load_model(weights)
    scorer = Scorer(
        model=model.to(device),
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=run.tokens_at_once,
        autocast=autocast(device, Precision.FP32),
    )
    (data,) = stage.data
    lengths = {"max_length": data.config.max_length, "doc_stride": data.config.doc_stride}
    encoded = prepared.encoded_all(data.task, data.views, **lengths)
    if stage.estimate in LABELLED:
        figure = _BY_LABELS[stage.estimate](labelled_features(scorer, data.task.kind, encoded))
        return figure if math.isfinite(figure) else None
    return mean_embedding(scorer, encoded).tolist()  # type: ignore[no-any-return]


def _examples(data: EstimateData, run: RunConfig) -> list[Example]:
    return [example for view in data.views for example in load_examples(view, run.roots)]
