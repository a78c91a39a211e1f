"""Holds what ``plan`` says of time and memory beside what stages take, each in a process of its own.

    python benchmarks/forecast.py [--shared ../shared] [--encoders xlmr-mini e5-small base] [--precision fp32]

``base`` is a random encoder of XLM-R base's layers with e5-small's vocabulary. Memory is the process's largest resident
set. The forecast of memory is by arithmetic, that of time once by arithmetic, beside the processor's seconds of a stage
that runs alone with one thread, in a process that has loaded its libraries (on an idle machine they are the clock's,
and other work disturbs them less), and once from the stages of another study on the same store with half the steps,
beside the clock's. An evaluation that both studies share is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

STEPS = {"xlmr-mini": 60, "e5-small": 20, "base": 6}


def main() -> None:
    """Reads the arguments; with ``--stage`` runs one stage and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--encoders", nargs="+", default=list(STEPS))
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--once", action="store_true", help="leave out the second study, and with it one column")
    parser.add_argument("--stage", nargs=3, metavar=("STUDY", "STORE", "ID"))
    arguments = parser.parse_args()
    if arguments.stage:
        run_one(*arguments.stage)
        return
    print("| encoder | stage | s | forecast | ratio | from its like | ratio | GiB | forecast | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in arguments.encoders:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, arguments.shared.resolve(), Path(folder), arguments.precision, once=arguments.once)


def compare(name: str, shared: Path, folder: Path, precision: str, *, once: bool) -> None:
    """Runs the stages of a small study of one encoder, then of one with twice the steps; a line for each stage."""
    encoder = shared / "models" / name
    if name == "base":
        encoder = random_base(shared / "models" / "e5-small", folder / "base")
    first = write_study(folder / "first.yaml", encoder, shared, STEPS[name], precision)
    second = write_study(folder / "second.yaml", encoder, shared, 2 * STEPS[name], precision)
    store = folder / "store"
    derived = forecasts(first, store)
    took = {stage: run_apart(first, store, stage) for stage in derived}
    like = {} if once else forecasts(second, store)
    again = {stage: run_apart(second, store, stage) for stage in like}
    after = iter(stage for stage in like if stage not in derived)
    for stage, guess in derived.items():
        _, seconds, gib = took[stage]
        later = None if once or stage in like else next(after)
        figures = (
            f"{seconds:.1f} | {guess['seconds']:.1f} | {guess['seconds'] / seconds:.2f}",
            "- | -" if later is None else _beside(like[later]["seconds"], again[later][0]),
            f"{gib:.2f} | {guess['gib']:.2f} | {guess['gib'] / gib:.2f}",
        )
        print(f"| {name} {precision} | {stage.rsplit('-', 1)[0]} | {' | '.join(figures)} |", flush=True)


def _beside(forecast: float, took: float) -> str:
    return f"{forecast:.1f} of {took:.1f} | {forecast / took:.2f}"


def write_study(path: Path, encoder: Path, shared: Path, steps: int, precision: str) -> Path:
    """Two rows and three columns of unlike kinds, as long in tokens as the data are."""
    train: dict[str, Any] = {"steps": steps, "precision": precision, "limit": 2000}
    study = {
        "name": path.stem,
        "encoder": {"path": os.path.relpath(encoder, path.parent)},
        "data": {"source": "files", "root": os.path.relpath(shared / "data", path.parent)},
        "defaults": {
            "intermediate": train,
            "target": train,
            "encoding": {"max_length": 128, "batch_size": 16},
            "limits": {"select": 100, "report": 200},
        },
        "intermediates": {"none": None, "mnli": None},
        "targets": {
            "udpos": {"languages": ["de", "fi"]},
            "xquad": {"languages": ["de", "tr"]},
            "tatoeba": {"languages": ["de", "tr"]},
        },
        "resources": {"cpus": 1},
    }
    path.write_text(yaml.safe_dump(study))
    return path


def random_base(like: Path, folder: Path) -> Path:
    """An encoder of XLM-R base's layers with another's vocabulary and tokenizer."""
    from stilts.models.model import fresh_model
    from stilts.models.transfer import write_tensors

    folder.mkdir()
    config = json.loads((like / "config.json").read_text())
    config |= {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(like / name, folder / name)
    write_tensors(folder / "model.safetensors", fresh_model(config, 0).encoder.state_dict())
    return folder


def forecasts(study: Path, store: Path) -> dict[str, dict[str, float]]:
    """Of each stage to run, in the order in which it can, its seconds and GiB by what ``plan`` says."""
    from stilts.app.costing import planned

    _, lines = planned(str(study), str(store))
    found = {}
    for line in lines:
        for stage in line["ids"] if line["to_run"] else ():
            each = line["seconds"] / line["to_run"]
            found[stage] = {"seconds": each, "gib": line["peak_memory_gib"] or 0.0}
    return dict(sorted(found.items(), key=lambda item: _order(study)[item[0]]))


def _order(study: Path) -> dict[str, int]:
    return {stage: place for place, stage in enumerate(plan_of(study).stages)}


def plan_of(study: Path) -> Any:
    """The study's plan."""
    from stilts.app.workspace import assemble
    from stilts.study.planning import make_plan
    from stilts.study.study import Study

    return make_plan(assemble(Study.load(str(study))).resolved, {})


def run_apart(study: Path, store: Path, stage: str) -> tuple[float, float, float]:
    """Seconds of the clock and of the processor, and largest resident set in GiB, of a stage in its own process."""
    line = [sys.executable, __file__, "--stage", str(study), str(store), stage]
    found = subprocess.run(line, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    seconds, used, gib = json.loads(found.stdout.splitlines()[-1])
    return seconds, used, gib


def run_one(study: str, store: str, stage: str) -> None:
    """Runs one stage here and prints its seconds, by clock and processor, and its GiB as JSON."""
    from stilts.app.workspace import assemble
    from stilts.execute.run_stage import run_stage
    from stilts.store import make_store
    from stilts.study.planning import make_plan
    from stilts.study.slots import Resources
    from stilts.study.study import Study

    workspace = assemble(Study.load(study))
    plan = make_plan(workspace.resolved, {})
    opened = make_store(store)
    _load_libraries(workspace.encoder_path)
    started, before = time.monotonic(), time.process_time()
    run_stage(plan.stages[stage], opened, workspace.run_config(opened, held=Resources(), device="cpu", threads=1))
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps([time.monotonic() - started, time.process_time() - before, gib]))


def _load_libraries(encoder: Path | None) -> None:
    """Imports what a worker has imported once it has run a stage: five seconds that no later stage of it takes."""
    import datasets  # noqa: F401
    import torch

    from stilts.models.model import fresh_model

    assert encoder is not None
    config = json.loads((encoder / "config.json").read_text())
    fresh_model(config | {"vocab_size": 100, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 1}, 0)
    torch.use_deterministic_algorithms(True)


if __name__ == "__main__":
    main()
