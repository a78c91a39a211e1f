"""The state of a stage in progress, as a folder: weights, optimizer, position, and what was seen so far.

Data order, mixture, dropout and masks are functions of (seed, step), so the position is the step and there is no
generator to save. The learning rate is a function of the step too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch.optim import Optimizer

from stilts.models.model import StiltsModel, load_trained, trained_tensors
from stilts.models.shards import is_shard
from stilts.models.transfer import read_tensors, stream_tensors, tensors_in, write_tensors
from stilts.training.host_copies import HostCopies
from stilts.training.sharding import gathered, like

_STATE, _WEIGHTS, _OPTIMIZER, _BEST = "state.json", "weights.safetensors", "optimizer.safetensors", "best.safetensors"


@dataclass(slots=True)
class TrainState:
    """Where training stands after ``step`` optimizer steps.

    ``curve`` holds (step, loss, learning rate), ``select`` (step, score by task); ``seconds`` is time spent on
    the steps so far, without those that a crash undid. ``micro_batch`` holds rows at once, by learner, where memory was
    not enough for what was asked.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    examples: dict[str, int] = field(default_factory=dict)
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    select: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    micro_batch: dict[str, int] = field(default_factory=dict)
    best_step: int | None = None
    best_score: float | None = None
    best_weights: dict[str, torch.Tensor] | None = None


def take_checkpoint(
    folder: Path | None, model: StiltsModel, optimizer: Optimizer, state: TrainState, room: HostCopies
) -> Callable[[], None]:
    """Takes everything that a resumed stage needs as it is now; what comes back writes it into the empty folder.

    ``room`` holds the copies until the next are taken. What is sharded is written at once, and whole, so that any
    number of ranks goes on from it: a collective of all of them, in which those without a folder give their parts.
    """
    files = {_WEIGHTS: trained_tensors(model), _OPTIMIZER: _optimizer_tensors(model, optimizer)}
    best = {} if state.best_weights is None else {_BEST: state.best_weights}
    if any(map(is_shard, files[_WEIGHTS].values())):
        for name, tensors in (files | best).items():
            _write_whole(folder, name, tensors)
        files, best = {}, {}
    plain = {name: value for name, value in asdict(_without_weights(state)).items() if name != "best_weights"}
    text, copies = json.dumps(plain), room.copied(files)

    def write() -> None:
        if folder is not None:
            for name, tensors in (copies | best).items():  # the best weights are replaced, never changed
                write_tensors(folder / name, tensors)
            (folder / _STATE).write_text(text)

    return write


def read_checkpoint(folder: Path, model: StiltsModel, optimizer: Optimizer) -> TrainState:
    """Puts a checkpoint's weights and moments into model and optimizer, and returns where it stood."""
    current = model.state_dict()
    load_trained(model, _read(folder / _WEIGHTS, current), what="the checkpoint")
    _restore_optimizer(model, optimizer, folder / _OPTIMIZER)
    plain = json.loads((folder / _STATE).read_text())
    plain["curve"] = [tuple(point) for point in plain["curve"]]
    plain["select"] = [(step, scores) for step, scores in plain["select"]]
    best = _read(folder / _BEST, current) if (folder / _BEST).exists() else None
    return TrainState(**plain, best_weights=best)


def _write_whole(folder: Path | None, name: str, tensors: dict[str, torch.Tensor]) -> None:
    whole = gathered(tensors)
    if folder is not None:
        stream_tensors(folder / name, {key: (tensor.shape, tensor.dtype) for key, tensor in tensors.items()}, whole)
    for _ in whole:
        pass


def _read(path: Path, current: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of a file; where the model is sharded the rank's rows of them, on the device."""
    if not any(map(is_shard, current.values())):
        return read_tensors(path)
    return {name: like(tensor, current[name]) for name, tensor in tensors_in(path)}


def _without_weights(state: TrainState) -> TrainState:
    return TrainState(**{name: getattr(state, name) for name in TrainState.__slots__ if name != "best_weights"})


def _optimizer_tensors(model: StiltsModel, optimizer: Optimizer) -> dict[str, torch.Tensor]:
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{names[parameter]}|{moment}": torch.as_tensor(value)
        for parameter, moments in optimizer.state.items()
        for moment, value in moments.items()
    }


def _restore_optimizer(model: StiltsModel, optimizer: Optimizer, path: Path) -> None:
    parameters = dict(model.named_parameters())
    for key, tensor in tensors_in(path):
        name, moment = key.rsplit("|", 1)
        # The fused AdamW wants its step counts, too, where the parameters are.
        optimizer.state[parameters[name]][moment] = like(tensor, parameters[name])
