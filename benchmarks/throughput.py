"""How fast our loop trains and evaluates beside transformers' `Trainer`: alternating in one run, on the same arrays.

    python benchmarks/throughput.py                                     # the judged figures: xlmr-mini, one thread
    python benchmarks/throughput.py --encoder e5-small --examples 640
    python benchmarks/throughput.py --encoder xlmr-base --examples 256 --parts classification
    python benchmarks/throughput.py --device cuda --encoder xlmr-large --precisions bf16 --batch-size 256

Every round runs each side once over the same examples, a whole epoch, in turns; medians over rounds are compared. On a
CPU a second is one of the processor's, which other work on the machine disturbs least; on a GPU it is the clock's. The
first round warms up and is not counted. `Trainer` has fused AdamW and neither logs nor saves; its settings are printed.
Memory is what was held at once beyond what was held before, the model included.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from throughput_data import Work, encoder_folder, evaluation_views, prepared_for, rows_for_trainer, training_work
from throughput_sides import TRAINERS, our_predictions, ours, settings, trainer, trainer_predictions

from stilts.data.batches import BatchOrder
from stilts.seeds import derive_seed
from stilts.study.config import TaskConfig
from stilts.training.run_config import RunConfig

OURS = "stilts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of one side over one epoch, and GiB held at once beyond what was held before."""

    seconds: float
    gib: float


def main() -> None:
    """Reads the arguments, runs what they name, and prints one table for each precision and part."""
    asked = _arguments()
    run = RunConfig(device=asked.device, threads=asked.threads, checkpoint_every_s=1e9)
    torch.set_num_threads(asked.threads)
    print(
        f"torch {torch.__version__}, {platform.machine()}, {asked.device}, {asked.threads} thread(s), {asked.encoder}"
    )
    with tempfile.TemporaryDirectory(prefix="throughput-") as scratch:
        folder = encoder_folder(asked.encoder, Path(scratch))
        for precision in asked.precisions:
            for part in asked.parts:
                if part == "evaluation":
                    _evaluation(asked, folder, run, precision)
                else:
                    _training(asked, part, folder, run, precision)


def _training(asked: argparse.Namespace, part: str, folder: Path, run: RunConfig, precision: str) -> None:
    work = training_work(part, folder, asked.examples, batch_size=asked.batch_size, max_length=asked.max_length)
    told = settings(run, precision, work.config.batch_size, "grouped")
    print(f"\nTrainer, beside {list(TRAINERS)}: {json.dumps(told)}")
    sides: dict[str, Callable[[], Callable[[], None]]] = {
        OURS: lambda: ours(work, folder, run, precision, asked.attention_dropout)
    }
    for way in asked.against:
        sides[way] = lambda way=way: trainer(way, work, folder, run, precision, asked.attention_dropout)  # type: ignore[misc]
    costs = _alternate(sides, asked.rounds, run.device)
    print(f"\n{part}, {precision}: {len(work.encoded)} examples, {work.tokens} tokens, {asked.rounds} rounds\n")
    print("| side | examples/s | tokens/s | padding | peak GiB | stilts is |\n|---|---|---|---|---|---|")
    for side, found in costs.items():
        seconds = median(cost.seconds for cost in found)
        ratio = seconds / median(cost.seconds for cost in costs[OURS])
        padding, gib = _padding_frac(side, work), median(cost.gib for cost in found)
        print(
            f"| {side} | {len(work.encoded) / seconds:.0f} | {work.tokens / seconds:.0f} | {padding:.0%} | {gib:.2f} "
            f"| {ratio:.2f} x |"
        )


def _evaluation(asked: argparse.Namespace, folder: Path, run: RunConfig, precision: str) -> None:
    task, views = evaluation_views(asked.eval_examples)
    prepared, config = prepared_for(folder), TaskConfig(max_length=128)
    encoded = [prepared.encoded(task, view, **config.lengths) for view in views]
    examples = [prepared.examples(task, view) for view in views]
    rows = [rows_for_trainer(Work(task=task, config=config, encoded=each, prepared=prepared)) for each in encoded]
    pairs = list(zip(encoded, examples, strict=True))
    costs = _alternate(
        {
            OURS: lambda: our_predictions(task, folder, run, precision, prepared, pairs),
            "Trainer.predict": lambda: trainer_predictions(task, folder, run, precision, config, rows),
        },
        asked.rounds,
        run.device,
    )
    number = sum(map(len, examples))
    print(f"\nevaluation, {precision}: {number} examples of {len(views)} languages, {asked.rounds} rounds\n")
    print("| side | examples/s | peak GiB | stilts is |\n|---|---|---|---|")
    for side, found in costs.items():
        seconds = median(cost.seconds for cost in found)
        ratio = seconds / median(cost.seconds for cost in costs[OURS])
        print(f"| {side} | {number / seconds:.0f} | {median(cost.gib for cost in found):.2f} | {ratio:.2f} x |")


def _alternate(sides: dict[str, Callable[[], Callable[[], None]]], rounds: int, device: str) -> dict[str, list[Cost]]:
    """Each side's cost in each round, the first round left out; who goes first changes from round to round."""
    costs: dict[str, list[Cost]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        order = list(sides) if number % 2 else list(reversed(sides))
        for side in order:
            before = _held(device, reset=True)
            work = sides[side]()
            started = _clock(device)
            work()
            cost = Cost(seconds=_clock(device) - started, gib=_held(device, reset=False) - before)
            del work
            gc.collect()
            if number:
                costs[side].append(cost)
    return costs


def _clock(device: str) -> float:
    return time.process_time() if device == "cpu" else time.monotonic()


def _held(device: str, *, reset: bool) -> float:
    """GiB held now (``reset``: the peak is counted from here), or the peak since."""
    if device.startswith("cuda"):
        if reset:
            torch.cuda.reset_peak_memory_stats()
            return torch.cuda.memory_allocated() / 2**30
        return torch.cuda.max_memory_allocated() / 2**30
    if reset:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the high-water mark begins anew
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if line.startswith(("VmHWM", "VmRSS")))
    return int(fields["VmRSS" if reset else "VmHWM"].split()[0]) / 2**20


def _padding_frac(side: str, work: Work) -> float:
    """The share of padding in an epoch's batches, each as wide as its longest row."""
    lengths = work.encoded.unit_lengths
    if side == "padded":
        return 1.0 - float(lengths.sum()) / (len(lengths) * work.config.max_length)
    batches = list(_batches(side, work))
    cells = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1.0 - float(sum(lengths[batch].sum() for batch in batches)) / cells


def _batches(side: str, work: Work) -> Iterator[np.ndarray]:
    lengths, size = work.encoded.unit_lengths, work.config.batch_size
    if side == OURS:
        order = BatchOrder(lengths, size, derive_seed("order", 0, work.task.learner))
        yield from (order.batch(number) for number in range(order.per_epoch))
        return
    if side == "grouped":
        from transformers.trainer_pt_utils import get_length_grouped_indices

        places = np.asarray(get_length_grouped_indices(lengths.tolist(), size))
    else:
        places = np.random.default_rng(0).permutation(len(lengths))
    yield from (places[start : start + size] for start in range(0, len(places), size))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="xlmr-mini", help="xlmr-mini, e5-small, or random: xlmr-base, xlmr-large")
    parser.add_argument("--parts", nargs="+", default=["classification", "tagging", "qa", "evaluation"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--against", nargs="+", default=list(TRAINERS), choices=list(TRAINERS))
    parser.add_argument("--examples", type=int, default=1600, help="of training, an epoch of each side")
    parser.add_argument("--eval-examples", type=int, default=500, help="of each language")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--max-length", type=int)
    parser.add_argument("--attention-dropout", type=float, help="None: the encoder's own")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
