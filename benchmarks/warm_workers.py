"""What a warm worker holds after many stages, and how much of its time is spent in steps.

``memory``: one worker of Ray runs 60 short stages of all kinds (trainings, evaluations in several languages, estimates)
on the encoder of ``search_spaces/mini_xtreme.yaml``; its resident memory after 10, 20, ... 60 of them is printed, and
the last beside the first. ``share``: two workers run a whole study of 3 x 3 cells (or ``--study``); seconds inside
training and evaluation steps are printed beside the seconds of the workers, from the moment that one is ready to the
end of its last stage, and where the rest went. Stages run as ``stilts run`` runs them: conductor, desk, Tune, actor,
``StoreExecutor``; around the last a log is put, which changes nothing else.

Steps are what results call seconds: the training loop with its selection scores and checkpoints, and of an evaluation
each language's reading, encoding, predicting and scoring. Not in it: imports, loading weights, encoding training data,
publishing, leases, and waiting for the next stage.

Run: python -m benchmarks.warm_workers [memory] [share] [--study FILE] [--stages 60] [--steps 100]. Each part took 7.5
minutes on two cores that others used, with fewer steps. Ray gives its workers a low priority: where others use the
machine, RAY_worker_niceness=0 before the command.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stilts import Study
from stilts.app.checks import check_before_running, check_encoder, check_splits
from stilts.app.places import make_store_at
from stilts.app.running import RunOptions, make_conductor
from stilts.app.workspace import assemble
from stilts.fingerprint import Json
from stilts.scheduling.attempt import Ended, Executor, StoreExecutor
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.runner import run_stages
from stilts.search.work_source import Fits, Measured, NoStage, Progress, WorkSource, anything
from stilts.store.store import Store
from stilts.study.plan import Plan
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.tasks.bounded_yaml import parsed_yaml
from stilts.training.reporter import Evaluation, Reporter

ROOT = Path(__file__).parents[1]
REAL = ROOT / "search_spaces" / "mini_xtreme.yaml"
MIXED_ROWS = ("none", "mnli", "tydiqa_en", "hellaswag", "mix3")
MIXED_LANGUAGES = {
    "xnli": ["en", "de", "zh"],
    "udpos": ["en", "fi", "zh"],
    "panx": ["en", "de", "tr"],
    "tydiqa_on_xquad": ["en", "de"],
    "tatoeba": ["de", "zh"],
    "masked_lm": ["en", "ru"],
}
WHOLE_ROWS = ("none", "mnli", "hellaswag")
WHOLE_COLUMNS = ("udpos", "panx", "tatoeba")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One stage in a worker: Unix seconds, and resident memory behind it in MiB (all of it; without mapped files)."""

    stage_id: str
    started: float
    ended: float
    resident: float
    anonymous: float


class Watched:
    """An executor with a log: a file for each process, whose first line says when the process had the executor."""

    def __init__(self, inner: Executor, folder: Path) -> None:
        self.inner, self.folder = inner, folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._write({"ready": time.time()})

    def __call__(self, stage: Stage, reporter: Reporter) -> Ended:
        started = time.time()
        try:
            return self.inner(stage, reporter)
        finally:
            ended = time.time()
            resident, anonymous = _memory()
            one = Logged(stage_id=stage.stage_id, started=started, ended=ended, resident=resident, anonymous=anonymous)
            self._write(asdict(one))

    def holding(self, held: Resources) -> Watched:
        return Watched(self.inner.holding(held), self.folder)

    def _write(self, line: Mapping[str, Any]) -> None:
        with (self.folder / f"{os.getpid()}.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process that ran stages."""

    ready: float
    stages: list[Logged]


def _memory() -> tuple[float, float]:
    """MiB of this process that are resident, and those of them that are no file's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    parts = [line.partition(":") for line in lines]
    found = {name: float(rest.split()[0]) / 1024 for name, _, rest in parts if "kB" in rest}
    return found["VmRSS"], found["RssAnon"]


class Mixed:
    """A plan's first ``most`` stages that are ready, of each kind in turn: a WorkSource for one worker."""

    classes = (Resources(),)

    def __init__(self, plan: Plan, most: int) -> None:
        self._plan, self._most = plan, most
        self._waiting = list(plan.stages)
        random.Random(0).shuffle(self._waiting)
        self._done: set[str] = set()
        self._handed: list[str] = []

    def next_stage(self, fits: Fits = anything) -> Stage | NoStage:
        ready = [one for one in self._waiting if self._plan.stages[one].parent in {None, *self._done}]
        ready = ready if fits(Resources()) else []
        if len(self._handed) == self._most or not self._waiting:
            return NoStage.FINISHED
        if not ready:
            return NoStage.WAIT
        counted = [self._plan.stages[one].kind for one in self._handed]
        chosen = min(ready, key=lambda one: counted.count(self._plan.stages[one].kind))
        self._waiting.remove(chosen)
        self._handed.append(chosen)
        return self._plan.stages[chosen]

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        self._done.add(stage_id)

    def failed(self, stage_id: str, error: str, *, will_retry: bool) -> bool:
        raise SystemExit(f"{stage_id} failed: {error}")

    def resources(self, stage: Stage) -> Resources:
        return Resources()

    def stops(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        return False

    def progress(self, running: Mapping[str, Measured] | None = None) -> Progress:
        running_now = len(self._handed) - len(self._done)
        return Progress(total=self._most, done=len(self._done), running=running_now, failed=0)


def mixed_study(steps: int) -> dict[str, Any]:
    """Five rows, six columns, estimates: of all kinds more stages than are run."""
    fields = _cut(_real(), MIXED_ROWS, tuple(MIXED_LANGUAGES), steps)
    for name, languages in MIXED_LANGUAGES.items():
        fields["targets"][name] |= {"languages": languages, "limits": {"report": 100}}
    fields |= {"name": "warm_memory", "estimates": ["logme", "embedding"]}
    fields["defaults"]["limits"] = {"select": 60, "report": 100}
    for use in ("intermediate", "target"):
        fields["defaults"][use] |= {"limit": 300}
    return fields


def whole_study(steps: int) -> dict[str, Any]:
    """Three rows, three columns, as the real study has them but for the number of steps: 17 stages."""
    fields = _cut(_real(), WHOLE_ROWS, WHOLE_COLUMNS, steps)
    return fields | {"name": "warm_share"}


def _real() -> dict[str, Any]:
    return dict(parsed_yaml(REAL.read_text(), REAL, begins="name: mini"))


def _cut(fields: dict[str, Any], rows: Sequence[str], columns: Sequence[str], steps: int) -> dict[str, Any]:
    """The study with these rows and columns alone, one replicate each, and so many steps."""
    for kind in ("intermediates", "targets"):
        kept = {name: dict(fields[kind][name] or {}) for name in (rows if kind == "intermediates" else columns)}
        for content in kept.values():
            content.pop("train", None)
        fields[kind] = kept
    for use in ("intermediate", "target"):
        fields["defaults"][use] |= {"steps": steps}
    fields.pop("replicates", None)
    return fields


def ran(study: Study, folder: Path, *, workers: int, mixed: int = 0) -> tuple[list[Worker], Store, float]:
    """The workers of a study that was run to its end, its store, and seconds of the whole run.

    With ``mixed`` so many of its stages are run, in another order than a run's.
    """
    begun = time.time()
    workspace = assemble(study)
    check_before_running(workspace)
    check_encoder(workspace)
    store = make_store_at(str(folder / "store"))
    check_splits(workspace, store)
    conductor = make_conductor(workspace, store, RunOptions(), on_change=lambda: None)
    source: WorkSource = Mixed(conductor.plan, mixed) if mixed else conductor
    log = folder / "log"
    log.mkdir()
    configs = {held: workspace.run_config(store, held=held, device="cpu") for held in (Resources(),)}
    executor = Watched(StoreExecutor(store_url=store.url, configured=configs.__getitem__), log)
    report = run_stages(source, settings=RaySettings(num_cpus=workers), execute=executor)
    if report.failed or report.interrupted:
        raise SystemExit(f"stages failed, or the run was interrupted: {report.failed}")
    return _workers(log), store, time.time() - begun


def _workers(log: Path) -> list[Worker]:
    found = []
    for path in sorted(log.iterdir()):
        ready, *rest = map(json.loads, path.read_text().splitlines())
        stages = [Logged(**line) for line in rest if "ready" not in line]
        if stages:
            found.append(Worker(ready=ready["ready"], stages=stages))
    return found


def tell_memory(steps: int, stages: int) -> None:
    """Runs the mixed stages in one worker and prints what it held."""
    with tempfile.TemporaryDirectory(prefix="stilts-warm-") as name:
        workers, _, took = ran(_parsed(mixed_study(steps)), Path(name), workers=1, mixed=stages)
    print(f"\n## Memory of one worker, {steps} steps a training ({took:.0f} s, load {_load()})\n")
    print("| stages | resident MiB | of no file | most so far | kinds since |\n|---|---|---|---|---|")
    done = [stage for worker in workers for stage in worker.stages]
    every = max(1, stages // 6)
    for count in range(every, len(done) + 1, every):
        last, part = done[count - 1], done[count - every : count]
        most = max(one.resident for one in done[:count])
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(_counted(part).items()))
        print(f"| {count} | {last.resident:.0f} | {last.anonymous:.0f} | {most:.0f} | {kinds} |")
    early, late = done[every - 1].resident, done[-1].resident
    print(
        f"\n{len(done)} stages in {len(workers)} process(es): {early:.0f} MiB after {every}, {late:.0f} after the last"
    )
    print(f"quotient {late / early:.3f} (asked: at most 1.2)", flush=True)


def tell_share(study: Study, note: str) -> None:
    """Runs the study on two workers and prints how much of their time was spent in steps."""
    with tempfile.TemporaryDirectory(prefix="stilts-warm-") as name:
        workers, store, took = ran(study, Path(name), workers=2)
        spent: dict[str, float] = defaultdict(float)
        inside: dict[str, float] = defaultdict(float)
        for worker in workers:
            at = worker.ready
            for number, stage in enumerate(worker.stages):
                kind = stage.stage_id.partition("-")[0]
                spent["waiting for the first stage" if number == 0 else "waiting for the next stage"] += (
                    stage.started - at
                )
                within, reading, behind = _parts(stage, store)
                first = " of the first stage, imports too" if number == 0 else ""
                inside[kind] += within
                spent[f"{kind}: before its steps{first}"] += reading
                spent[f"{kind}: behind its steps"] += behind
                at = stage.ended
        whole = sum(worker.stages[-1].ended - worker.ready for worker in workers)
    count = sum(len(worker.stages) for worker in workers)
    print(f"\n## Time of {len(workers)} workers, {note}: {count} stages ({took:.0f} s with Ray, load {_load()})\n")
    print("| where | seconds | share |\n|---|---|---|")
    for where, value in [*((f"**{kind}: in steps**", each) for kind, each in inside.items()), *sorted(spent.items())]:
        print(f"| {where} | {value:.1f} | {value / whole:.1%} |")
    within = sum(inside.values())
    print(f"\nin steps {within:.1f} s of {whole:.1f} s of workers: share {within / whole:.3f} (asked: at least 0.8)")


def _parts(stage: Logged, store: Store) -> tuple[float, float, float]:
    """Seconds of a stage inside its steps, before them and behind them, by what it published."""
    keys = [key for key in store.done() if key == stage.stage_id or key.startswith(f"{stage.stage_id}/")]
    results: list[dict[str, Any]] = [dict(store.result(key)) for key in keys]
    if stage.stage_id.startswith("evaluate"):
        begun, within = min(one["started"] for one in results), sum(one["seconds"] for one in results)
    else:
        ((begun, end, within),) = ((one["started"], one["ended"], one["seconds"]) for one in results)
        begun = end - within
    return within, begun - stage.started, stage.ended - begun - within


def _counted(stages: Sequence[Logged]) -> dict[str, int]:
    kinds = [one.stage_id.partition("-")[0] for one in stages]
    return {kind: kinds.count(kind) for kind in set(kinds)}


def _parsed(fields: Mapping[str, Any]) -> Study:
    """The study, as if its file lay beside the real one: paths are relative to it."""
    return Study.parse(json.dumps(fields), REAL.with_name(f"{fields['name']}.yaml"))


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["memory", "share", []], help="both, if none is named")
    parser.add_argument("--study", help="the study whose share is measured, in place of the 3 x 3 cells")
    parser.add_argument("--stages", type=int, default=60, help="how many stages the one worker runs")
    parser.add_argument("--memory-steps", type=int, default=8, help="steps of its trainings")
    parser.add_argument("--steps", type=int, default=100, help="steps of the trainings of the 3 x 3 cells")
    given = parser.parse_args()
    print(f"load before: {_load()}")
    if not given.what or "memory" in given.what:
        tell_memory(given.memory_steps, given.stages)
    if not given.what or "share" in given.what:
        if given.study is not None:
            tell_share(Study.load(given.study), given.study)
        else:
            tell_share(_parsed(whole_study(given.steps)), f"3 x 3 cells of {given.steps} steps")


if __name__ == "__main__":
    main()
