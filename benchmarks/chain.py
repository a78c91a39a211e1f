"""One target's whole chain from a warm worker, beside three processes of transformers' `Trainer`; and a first step.

    python -m benchmarks.chain            # xlmr-mini, one thread

The chain: UDPOS's English training, then XNLI's (MNLI), then XNLI in ten languages. Ours runs as a worker runs it that
has had another stage before: data read and tokenized, weights published to a store. `Trainer` is what a script of a
user's is: one process for each of the three, which imports, reads, tokenizes (the whole set at once, with the fast
tokenizer), trains with fused AdamW and length grouping without logging, and saves its weights. Seconds are those of the
processor, of all processes that take part; who goes first changes from round to round.

The first step: seconds of the clock from a stage's handing over to the end of its first optimizer step, in a worker
that ran a stage of another task before. The data of such a stage lie tokenized on disk, as after any stage of it, or
not.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from stilts import Study
from stilts.app.workspace import assemble
from stilts.scheduling.attempt import StoreExecutor
from stilts.store import make_store
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.stage import EvaluateStage, Stage, StageKind, TrainStage
from stilts.training.reporter import SilentReporter
from stilts.training.run_config import RunConfig

ROOT = Path(__file__).parents[1]
LANGUAGES = ("en", "ar", "de", "el", "es", "fr", "hi", "ru", "tr", "zh")
_BATCH, _LENGTH = 32, 128


def study(asked: argparse.Namespace) -> Study:
    """Two rows and two columns, of which one chain is run, and others to be warm from."""
    fields = {
        "name": "chain",
        "encoder": {"path": f"../shared/models/{asked.encoder}"},
        "data": {"source": "files", "root": "../shared/data"},
        "defaults": {
            "intermediate": {"steps": asked.steps, "learning_rate": 1e-4, "limit": asked.examples},
            "target": {"steps": asked.steps, "learning_rate": 1e-4, "limit": asked.examples},
            "encoding": {"max_length": _LENGTH},
            "limits": {"select": 100, "report": asked.eval_examples},
        },
        "intermediates": {"none": None, "udpos": None},
        "targets": {"xnli": {"languages": list(LANGUAGES)}, "panx": {"languages": ["en"]}},
    }
    return Study.parse(json.dumps(fields), ROOT / "chain.yaml")


def chain_of(plan: Plan) -> list[Stage]:
    """UDPOS, XNLI behind it, and XNLI's evaluation."""
    trained = [stage for stage in plan.stages.values() if isinstance(stage, TrainStage)]
    (first,) = [stage for stage in trained if stage.parent is None and "udpos" in _tasks(stage)]
    (second,) = [stage for stage in trained if stage.parent == first.stage_id and "xnli" in "".join(_tasks(stage))]
    scored = [stage for stage in plan.stages.values() if isinstance(stage, EvaluateStage)]
    return [first, second, *(stage for stage in scored if stage.parent == second.stage_id)]


def other_of(plan: Plan) -> Stage:
    """A training of another task, to be warm from."""
    trained = [stage for stage in plan.stages.values() if stage.kind is StageKind.TRAIN]
    return next(stage for stage in trained if isinstance(stage, TrainStage) and "panx" in "".join(_tasks(stage)))


def _tasks(stage: TrainStage) -> list[str]:
    return [part.task.name for part in stage.mixture]


class FirstStep(SilentReporter):
    """Hears when a stage has made its first step."""

    def __init__(self) -> None:
        self.at: float | None = None

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        self.at = self.at or time.monotonic()


def ours(plan: Plan, run: RunConfig, folder: Path) -> None:
    """The chain's stages on an empty store."""
    execute = StoreExecutor(store_url=make_store(str(folder / "store")).url, configured=lambda held: run)
    for stage in chain_of(plan):
        ended = execute(stage, SilentReporter())
        assert ended.executed and ended.state == "done"


def first_step(plan: Plan, run: RunConfig, folder: Path, *, tokenized: bool) -> float:
    """Seconds of the clock to the first step of XNLI's training, after a stage of another task."""
    store = make_store(str(folder / "first"))
    run = replace(run, cache_dir=str(folder / "cache"))
    execute = StoreExecutor(store_url=store.url, configured=lambda held: run)
    alone = next(
        stage
        for stage in plan.stages.values()
        if isinstance(stage, TrainStage) and stage.parent is None and "xnli" in "".join(_tasks(stage))
    )
    if tokenized:
        execute(alone, SilentReporter())
        store = make_store(str(folder / "second"))
        execute = StoreExecutor(store_url=store.url, configured=lambda held: run)
    execute(other_of(plan), SilentReporter())
    heard, started = FirstStep(), time.monotonic()
    execute(alone, heard)
    assert heard.at is not None
    return heard.at - started


def theirs(asked: argparse.Namespace, folder: Path) -> None:
    """Three processes, each of which begins where the one before has saved."""
    for part in ("intermediate", "target", "evaluation"):
        command = [sys.executable, "-m", "benchmarks.chain_trainer", part, str(folder), asked.encoder]
        command += [str(asked.steps), str(asked.examples), str(asked.eval_examples), str(asked.threads)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Prints both sides' seconds and the seconds to a first step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="xlmr-mini")
    parser.add_argument("--steps", type=int, default=100, help="of each training")
    parser.add_argument("--examples", type=int, default=3200, help="of each training set")
    parser.add_argument("--eval-examples", type=int, default=500, help="of each language")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    plan = make_plan(assemble(study(asked)).resolved)
    roots = {name: str(root) for name, root in assemble(study(asked)).roots.items()}
    run = RunConfig(device="cpu", threads=asked.threads, roots=roots)
    costs: dict[str, list[float]] = {"stilts": [], "Trainer": []}
    with tempfile.TemporaryDirectory(prefix="stilts-chain-") as name:
        folder = Path(name)
        seconds = {kept: first_step(plan, run, folder / str(kept), tokenized=kept) for kept in (False, True)}
        for number in range(asked.rounds):
            sides: list[tuple[str, Callable[[Path], Any]]] = [
                ("stilts", lambda at: ours(plan, run, at)),
                ("Trainer", lambda at: theirs(asked, at)),
            ]
            for side, work in sides if number % 2 else reversed(sides):
                at = folder / f"{side}{number}"
                at.mkdir()
                before = _cpu_seconds()
                work(at)
                costs[side].append(_cpu_seconds() - before)
    for side, found in costs.items():
        print(f"{side}: {median(found):.1f} s of the processor ({', '.join(f'{one:.1f}' for one in found)})")
    print(f"stilts is {median(costs['Trainer']) / median(costs['stilts']):.2f} x (asked: 1.5)")
    for kept, took in seconds.items():
        print(
            f"first step of another task, data {'tokenized' if kept else 'not yet tokenized'}: {took:.2f} s (asked: 1)"
        )


if __name__ == "__main__":
    main()
