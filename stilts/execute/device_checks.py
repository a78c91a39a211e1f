"""Whether a device does what the CPU does, and how fast: checks that need no study, no store and no data.

A GPU that is set up wrongly gives other numbers, or the right ones slowly; both are seen here in minutes, on random
weights and random tokens. Each check is a function of the device and the
task that is trained; ``check_device`` has them in their order.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial

import torch

from stilts.execute.finding import CheckState, Finding
from stilts.execute.random_training import SMALL, full_rows, timed_stage, trained
from stilts.fingerprint import Json
from stilts.models import sites
from stilts.models.compiled_sites import SITES
from stilts.models.device_memory import begin_peak, peak_gib
from stilts.models.model import fresh_model
from stilts.study.config import Precision
from stilts.study.memory import Placed, peak_memory
from stilts.study.workload import workload
from stilts.tasks.known_encoders import known_config
from stilts.tasks.task import Task
from stilts.training.reporter import SilentReporter

# How far sums in another order, and products in TF32 or bf16, may move a loss, as a share of it.
_ROUNDING = {Precision.FP32: 2e-3, Precision.BF16: 3e-2}


def check_device(device: torch.device, task: Task, shape: str = "large") -> list[Finding]:
    """Every check on the device, in order; one that raises is a failed one, with the error as its finding.

    ``task`` is a classification. ``shape`` is that of the encoder whose training is timed: small, base or large.
    """
    sizes = SMALL if shape == "small" else known_config(f"FacebookAI/xlm-roberta-{shape}") or SMALL
    checks: Mapping[str, Callable[[torch.device, Task], Finding]] = {
        "device": _device,
        "bf16": _bf16,
        "compiled sites": _sites,
        "dropout masks": _masks,
        "numbers in fp32": partial(_numbers, precision=Precision.FP32),
        "numbers in bf16": partial(_numbers, precision=Precision.BF16),
        "determinism": _determinism,
        "waits for the device": _waits,
        f"speed of {shape} in bf16": partial(_speed, sizes=sizes, name=f"speed of {shape} in bf16"),
    }
    found = []
    for name, check in checks.items():
        try:
            found.append(check(device, task))
        except Exception as error:  # whatever a broken set-up raises is what is to be told
            reason = " ".join(str(error).split())[:300]
            found.append(
                Finding(check=name, verdict=CheckState.FAILED, found=f"{type(error).__name__}: {reason}", advice=_SEND)
            )
    return found


_SEND = "Send this page with an issue"


def _device(device: torch.device, _: Task) -> Finding:
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        text = f"{card.name}, {card.total_memory / 2**30:.0f} GiB, capability {card.major}.{card.minor}"
        found = f"{text}; torch {torch.__version__}, CUDA {torch.version.cuda}"
    else:
        found = f"{device}, {torch.get_num_threads()} threads; torch {torch.__version__}"
    return Finding(check="device", verdict=CheckState.MEASURED, found=found)


def _bf16(device: torch.device, _: Task) -> Finding:
    if device.type != "cuda":
        return Finding(check="bf16", verdict=CheckState.NOT_HERE, found="only a GPU may lack it")
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return Finding(check="bf16", verdict=CheckState.OK, found="the card computes in it")
    return Finding(
        check="bf16",
        verdict=CheckState.FAILED,
        found="the card does not compute in it",
        advice="Set precision: fp32 in studies for this card",
    )


def _sites(device: torch.device, _: Task) -> Finding:
    """What is compiled into one kernel, beside plain torch."""
    name = "compiled sites"
    if device.type != "cuda":
        return Finding(check=name, verdict=CheckState.NOT_HERE, found="only a GPU has them compiled")
    agree = f"{', '.join(sites.SITE_NAMES)} agree with plain torch"
    aside = [each for each in sites.SITE_NAMES if SITES(each, device) is getattr(sites, each)]
    return Finding(
        check=name,
        verdict=CheckState.FAILED if aside else CheckState.OK,
        found="; ".join(f"{each}: {SITES.uncompiled[each]}" for each in aside) or agree,
        advice="Training is right and slower; install a C compiler and Triton on the nodes, or send this page"
        if aside
        else "",
    )


def _masks(device: torch.device, _: Task) -> Finding:
    """The bits of dropout, which must be the same everywhere: they are identity."""
    zeros = []
    for place in (torch.device("cpu"), device):
        stream = fresh_model(SMALL, 0).stream
        stream.keys = torch.arange(-4, 4, dtype=torch.int32).to(place)
        shapes = ((8, 60, 128), 3), ((8, 4, 60, 60), 5)
        zeros.append([(stream.thinned(torch.ones(shape).to(place), site, 0.1) == 0).cpu() for shape, site in shapes])
    same = all(torch.equal(one, other) for one, other in zip(*zeros, strict=True))
    return Finding(
        check="dropout masks",
        verdict=CheckState.OK if same else CheckState.FAILED,
        found="the CPU's bits" if same else "other bits than on the CPU",
        advice="" if same else _SEND,
    )


def _numbers(device: torch.device, task: Task, precision: Precision) -> Finding:
    """Ten steps against the CPU's ten in fp32."""
    losses = [
        trained(place, task, SMALL, steps=10, precision=each)
        for place, each in ((torch.device("cpu"), Precision.FP32), (device, precision))
    ]
    gap = max(abs(one - other) / abs(one) for one, other in zip(*losses, strict=True))
    ok = gap <= _ROUNDING[precision]
    return Finding(
        check=f"numbers in {precision.value}",
        verdict=CheckState.OK if ok else CheckState.FAILED,
        found=f"ten losses within {gap:.1e} of the CPU's (at most {_ROUNDING[precision]:g} is rounding)",
        advice="" if ok else _SEND,
    )


def _determinism(device: torch.device, task: Task) -> Finding:
    first, second = (trained(device, task, SMALL, steps=10) for _ in range(2))
    same = first == second
    return Finding(
        check="determinism",
        verdict=CheckState.OK if same else CheckState.FAILED,
        found="ten steps twice, the same bits" if same else "ten steps twice, other bits",
        advice="" if same else "A run that is resumed here will differ from one that was not, within rounding",
    )


def _waits(device: torch.device, task: Task) -> Finding:
    """How often ten steps make the CPU wait for the card."""
    name = "waits for the device"
    if device.type != "cuda":
        return Finding(check=name, verdict=CheckState.NOT_HERE, found="only a GPU works by itself")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            trained(device, task, SMALL, steps=10)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    places = sorted({f"{warning.filename.rpartition('stilts/')[2]}:{warning.lineno}" for warning in caught})
    waits = [warning for warning in caught if "synchroniz" in str(warning.message)]
    return Finding(
        check=name, verdict=CheckState.MEASURED, found=f"{len(waits)} in ten steps: {', '.join(places)[:200]}"
    )


def _speed(device: torch.device, task: Task, sizes: Mapping[str, Json], name: str) -> Finding:
    """Steps of 32 full rows of 128 tokens: seconds, share of what products alone reach, memory beside its forecast."""
    steps = 8 if device.type == "cuda" else 2
    rate = _product_rate(device)
    begin_peak(device)
    watch = _StepTimes(device)
    trained(device, task, sizes, steps=steps + 1, precision=Precision.BF16, reporter=watch, tokens=128)
    a_step = (watch.times[-1] - watch.times[0]) / steps
    stage = timed_stage(task, sizes, 128)
    flops = workload(stage, lambda *_: full_rows(128)).flops
    forecast = peak_memory(stage, Placed(on_gpu=device.type == "cuda"), lambda *_: full_rows(128))
    text = f"{a_step:.3f} s a step of 4,096 tokens, {flops / a_step / 1e12:.2f} TFLOP/s"
    text += f", {flops / a_step / rate:.0%} of the {rate / 1e12:.1f} TFLOP/s of plain products"
    if device.type == "cuda" and forecast is not None:
        held = (forecast.total - forecast.process) / 2**30
        text += f"; {peak_gib(device):.1f} GiB at the peak, forecast {held:.1f}"
    return Finding(check=name, verdict=CheckState.MEASURED, found=text)


def _product_rate(device: torch.device) -> float:
    """FLOP/s of square products in bf16."""
    size, times = (8192, 20) if device.type == "cuda" else (1024, 3)
    matrix = torch.randn(size, size, dtype=torch.bfloat16).to(device)
    for _ in range(2):
        matrix @ matrix
    _wait(device)
    started = time.monotonic()
    for _ in range(times):
        matrix @ matrix
    _wait(device)
    return 2 * size**3 * times / (time.monotonic() - started)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class _StepTimes(SilentReporter):
    """When each step was done."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.times: list[float] = []

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        _wait(self.device)
        self.times.append(time.monotonic())
