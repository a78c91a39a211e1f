"""Kernels and bytes of one training step of XLM-R Large, without a GPU and without its weights; a forecast from them.

    python -m benchmarks.step_count
    python -m benchmarks.step_count --rows 32 --tokens 40 --precision fp32

The product's own loop trains its own model for two steps on the pretend device of ``tests/pretend_gpu``, with shapes
in the place of numbers; the second is counted. A model of XLM-R Large takes a minute of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from benchmarks.kernel_count import KernelCount, Part, counted_kernels
from stilts.execute.random_training import random_training
from stilts.kinds.learning import heads_of
from stilts.models import sites
from stilts.models.model import StiltsModel
from stilts.study.config import Precision
from stilts.tasks.registry import default_registry
from stilts.training.device import set_up
from stilts.training.loop import train
from stilts.training.reporter import SilentReporter
from stilts.training.run_config import RunConfig
from tests.pretend_gpu.device import DEVICE, install, without_numbers

# The functions of the product that are compiled on a GPU, as (module, name): one kernel each.
COMPILED: tuple[tuple[Any, str], ...] = tuple((sites, name) for name in sites.SITE_NAMES)
LARGE = {
    "vocab_size": 250_002,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
# Cards by their data sheets: dense bf16 FLOP/s, bytes/s. What a product and a copy reach of them is assumed: 630e12
# FLOP/s of 989e12, and 85 % of the memory's rate. A launch takes 6 microseconds of the CPU (assumed).
CARDS = {"H100 SXM": (989e12, 3.35e12), "H200": (989e12, 4.8e12)}
_PRODUCT_FRAC, _MEMORY_FRAC, _LAUNCH_S = 630 / 989, 0.85, 6e-6


def counted_step(
    shape: dict[str, Any], *, rows: int = 32, tokens: int = 128, precision: Precision = Precision.BF16
) -> KernelCount:
    """What the second step of a classification launches, reads and writes; rows are full."""
    from transformers import XLMRobertaConfig

    device = install()
    run = RunConfig(device=DEVICE, checkpoint_every_s=float("inf"))
    before = torch.are_deterministic_algorithms_enabled()
    set_up(run)
    task = default_registry().task("mnli")
    try:
        with without_numbers(), counted_kernels(COMPILED) as count:
            with torch.device("meta"):
                model = StiltsModel(XLMRobertaConfig(**shape))
            model.add_head(task.learner, heads_of([task])[task.learner], seed=0)
            model.to_empty(device=device)
            for parameter in model.lm_head.parameters():
                parameter.requires_grad_(False)
            asked: dict[str, Any] = {"steps": 2, "precision": precision, "rows": rows, "tokens": tokens}
            reporter = _FromTheSecondStep(count)
            train(model, random_training(task, run, vocabulary=1000, reporter=reporter, **asked))
    finally:
        torch.use_deterministic_algorithms(before)
    return count


class _FromTheSecondStep(SilentReporter):
    def __init__(self, count: KernelCount) -> None:
        self.count = count

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        if step == 1:
            self.count.reset()


def forecast(count: KernelCount, card: str) -> tuple[float, float, float]:
    """Milliseconds of the card and of launches, and the share of the card's bf16 rate that is used."""
    rate, memory = CARDS[card]
    card_s = count.flops / (_PRODUCT_FRAC * rate) + count.elementwise_bytes / (_MEMORY_FRAC * memory)
    launch_s = count.kernels * _LAUNCH_S
    return card_s * 1e3, launch_s * 1e3, count.flops / rate / max(card_s, launch_s)


def lines(count: KernelCount) -> Iterator[str]:
    """The count as a table, and the forecast of each card."""
    yield f"{'':28}{'kernels':>8}{'GB':>8}"
    for part in Part:
        tally = count.parts[part]
        yield f"{part:28}{tally.kernels:8d}{tally.bytes / 1e9:8.1f}"
    yield f"{'all':28}{count.kernels:8d}{count.elementwise_bytes / 1e9:8.1f}  (bytes: without products)"
    yield f"{count.flops / 1e12:.2f}e12 operations in products"
    for card in CARDS:
        card_ms, launch_ms, used = forecast(count, card)
        times = f"{card_ms:.1f} ms of the card, {launch_ms:.1f} ms of launches"
        yield f"{card}, forecast: {times}, {used:.0%} of its bf16 rate"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--precision", type=Precision, choices=list(Precision), default=Precision.BF16)
    parser.add_argument("--by-operation", action="store_true", help="list the 30 most frequent operations too")
    chosen = parser.parse_args(arguments)
    count = counted_step(LARGE, rows=chosen.rows, tokens=chosen.tokens, precision=chosen.precision)
    print("\n".join(lines(count)))
    if chosen.by_operation:
        for name, tally in sorted(count.operations.items(), key=lambda each: -each[1].kernels)[:30]:
            print(f"{name:40}{tally.kernels:8d}{tally.bytes / 1e9:8.2f}")


if __name__ == "__main__":
    main()
