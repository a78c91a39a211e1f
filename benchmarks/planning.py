"""How long planning takes, and the next question to a policy, at the size of a large lab's study.

100 intermediates x 50 targets x 5 seeds are 25,000 replicates, with real identity payloads (toy data, a real encoder
folder) and a searched row of 20 proposals. Run: python benchmarks/planning.py [--ask]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from stilts.app.workspace import assemble
from stilts.ledger.decisions import keep
from stilts.search.deciding import Known, Situation
from stilts.search.selected_cells import SelectedCells
from stilts.search.selecting.select import Select
from stilts.store import make_store
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.search_space import Proposal
from stilts.study.study import Study

ROWS, COLUMNS, SEEDS, PROPOSALS = 100, 50, 5, 20
TASKS = ("mnli", "qqp", "snli", "hellaswag", "cosmosqa", "piqa", "tydiqa_en", "commonsenseqa", "anli", "squad")
TARGETS = ("udpos", "panx", "xnli", "tydiqa", "xquad", "mlqa", "pawsx", "tatoeba", "xcopa", "masakhaner")


def study(folder: Path, **changes: Any) -> Study:
    """The study as JSON text, beside an encoder folder that is only hashed."""
    encoder = folder / "tiny"
    encoder.mkdir()
    config: dict[str, Any] = {"model_type": "xlm-roberta", "hidden_size": 32, "num_hidden_layers": 4, "pad_token_id": 1}
    config |= {"num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 514}
    (encoder / "config.json").write_text(json.dumps(config))
    (encoder / "tokenizer.json").write_text("{}")
    (encoder / "model.safetensors").write_bytes(b"weights")
    rows: dict[str, Any] = {"none": None}
    for number in range(ROWS - 2):
        rate = 1e-5 * (1 + number // len(TASKS))
        rows[f"row{number:03d}"] = {"task": TASKS[number % len(TASKS)], "train": {"learning_rate": rate}}
    weights = {"weights": list(TASKS[:3]), "learning_rate": {"low": 1e-6, "high": 1e-4, "log": True}}
    rows["searched"] = {"search": {**weights, "proposals": PROPOSALS, "sampler": "random"}}
    columns = {
        f"column{number:02d}": {
            "task": TARGETS[number % len(TARGETS)],
            "train": {"steps": 100 + number // len(TARGETS)},
        }
        for number in range(COLUMNS)
    }
    fields = {
        "name": "large",
        "encoder": {"path": "tiny"},
        "data": {"source": "toy"},
        "defaults": {"intermediate": {"steps": 1000}, "target": {"steps": 100}, "encoding": {"max_length": 128}},
        "intermediates": rows,
        "targets": columns,
        "replicates": {"default": {"count": SEEDS}},
        **changes,
    }
    return Study.parse(json.dumps(fields), folder / "study.yaml")


def proposals() -> list[Proposal]:
    """Twenty recipes as a sampler would draw them."""
    shares = [(0.01 * k, 0.4, 0.6 - 0.01 * k) for k in range(1, PROPOSALS + 1)]
    names = TASKS[:3]
    return [
        Proposal(
            number=k,
            params={
                "learning_rate": float(f"{1e-5 * (k + 1):.2e}"),
                "weights": {name: round(share, 2) for name, share in zip(names, weights, strict=True)},
            },
        )
        for k, weights in enumerate(shares)
    ]


def main() -> None:
    """Plans, prints seconds, replicates, stages and peak memory; then asks the policy, if told so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ask", type=int, default=0, metavar="DONE", help="ask the policy with so many stages done")
    asked = parser.parse_args().ask
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        resolved = assemble(study(folder)).resolved
        assembled = time.perf_counter()
        plan = make_plan(resolved, {"searched": proposals()})
        planned = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(plan.replicates)} replicates, {len(plan.stages)} stages")
        print(f"assembled in {assembled - started:.2f} s, planned in {planned - assembled:.2f} s, peak {peak:.0f} MB")
        if asked:
            _ask(plan, folder, asked)


def _ask(plan: Plan, folder: Path, count: int) -> None:
    """Seconds of one question to the default policy, with ``count`` stages done."""
    store = make_store(str(folder / "store"))
    done: set[str] = set()
    content = folder / "content"
    content.mkdir()
    (content / "file").write_text("x")
    finished = 0
    for replicate in plan.replicates:
        chain = plan.of(replicate)
        for stage_id in chain:
            stage = plan.stages[stage_id]
            if stage.outputs[0] in done:
                continue
            with store.lease(stage_id) as lease:
                for key in stage.outputs:
                    score = 50.0 + hash(stage_id) % 1000 / 50
                    store.publish(key, content, payload={}, result={"seconds": 1.0, "score": score}, lease=lease)
            done |= set(stage.outputs)
            finished += 1
        if finished >= count:
            break
    cells = SelectedCells(study="large", policy_name="select", policy=Select(), store=store, seed=0)
    # The baseline and what the store has come first; then the policy is asked, twice: the second time scores are known.
    for number in range(4):
        started = time.perf_counter()
        decided = cells.decide(
            Known(plan=plan, whole=plan, done=done),
            Situation(expected=lambda stage: 1.0, left_s=1e5, spent_s=1.0, slots=10**6),
        )
        more = any([cells.took(keep(store, "large", one)) for one in decided])
        took = time.perf_counter() - started
        print(f"question {number}: {finished} stages done, asked for more: {more}, in {took:.2f} s")


if __name__ == "__main__":
    main()
