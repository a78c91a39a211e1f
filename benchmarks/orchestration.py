"""What a stage costs besides its work: 200 stages that train nothing, through run_stage, store, lease, Ray and MLflow.

The stages are estimates that need no model (sizes and text overlap of small toy data); a budget of trials ends the
study behind them. Time runs from the first stage handed out to the last one settled, so Ray's start is not in it.
Run: python benchmarks/orchestration.py [--stages 200] [--tracking none]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from stilts import Study, run
from stilts.cli.api import RunOptions
from stilts.scheduling.events import Happening, StageEvent
from stilts.store import make_store

ROWS = (
    "mnli qqp snli hellaswag cosmosqa piqa tydiqa_en commonsenseqa anli squad socialiqa winogrande copa mrpc paws "
    "casehold medmcqa contractnli sick joci"
).split()
COLUMNS = "udpos panx xnli tydiqa xquad mlqa pawsx xcopa masakhaner americasnli".split()


def study(folder: Path, stages: int) -> Study:
    """A study whose first ``stages`` stages are estimates without a model."""
    fields: dict[str, Any] = {
        "name": "orchestration",
        "encoder": {"toy": True},
        "data": {"source": "toy"},
        "defaults": {
            "intermediate": {"steps": 10, "limit": 20},
            "target": {"steps": 10, "limit": 20},
            "encoding": {"max_length": 96},
        },
        "intermediates": {"none": None, **dict.fromkeys(ROWS)},
        "targets": dict.fromkeys(COLUMNS),
        "estimates": ["size", "text_overlap"],
        "policy": {"budget": {"trials": stages}},
    }
    return Study.parse(json.dumps(fields), folder / "study.yaml")


def main() -> None:
    """Runs the study and prints seconds per stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", type=int, default=200)
    parser.add_argument("--tracking", default="sqlite")
    given = parser.parse_args()
    times: list[float] = []
    ended: list[float] = []

    def hear(event: object) -> None:
        if isinstance(event, StageEvent):
            (times if event.happening is Happening.STARTED else ended).append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tracking = "none" if given.tracking == "none" else f"sqlite:///{folder / 'mlflow.db'}"
        options = RunOptions(store=str(folder / "store"), tracking=tracking, num_cpus=2)
        report = run(study(folder, given.stages), options, on_event=hear)
        store = make_store(str(folder / "store"))
        work = sum(float(str(store.result(key)["seconds"])) for key in store.done())
    took = ended[-1] - times[0]
    count = len(report.done)
    print(f"{count} stages, {len(report.failed)} failed, in {took:.1f} s: {took / count:.3f} s a stage on 2 workers")
    print(f"of which the stages' own work is {work:.1f} s of worker time; the whole run took {report.seconds:.1f} s")


if __name__ == "__main__":
    main()
