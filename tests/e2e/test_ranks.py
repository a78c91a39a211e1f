"""A study whose stages run on two ranks each, as ``stilts run`` does it: on Ray, one after the other, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from stilts.models.transfer import read_tensors
from stilts.store import Store
from tests.e2e.studies import DEADLINE_S, command, environment, opened, stilts, tiny_study

pytestmark = pytest.mark.slow
RUN = ("--tracking-uri", "none", "--keep-weights", "--ranks", 2)


LORA = {"adapter": {"rank": 4, "alpha": 8, "dropout": 0.1}}
# By what a study trains: all weights, or adapters, its targets' on top of its row's.
WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "all weights": {"intermediate": {}, "target": {}},
    "adapters": {"intermediate": LORA, "target": {**LORA, "parent_adapter": "stack"}},
}


def study(folder: Path, way: str, steps: int = 20) -> Path:
    more = WAYS[way]
    defaults = {
        "intermediate": {"steps": steps, "learning_rate": 1e-3, "limit": 64, **more["intermediate"]},
        "target": {"steps": 20, "learning_rate": 1e-3, "limit": 64, **more["target"]},
        "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
        "limits": {"select": 24, "report": 24},
    }
    return tiny_study(folder / "study", defaults=defaults, targets={"udpos": {"languages": ["en", "qaa"]}})


def curves(store: Store) -> dict[str, list[float]]:
    results: dict[str, Any] = {key: store.result(key) for key in store.done() if key.startswith("train-")}
    return {key: [loss for _, loss, _ in result["curve"]] for key, result in results.items()}


def assert_alike(store: Store, alone: Store) -> None:
    assert store.done() == alone.done()
    expected, found = curves(alone), curves(store)
    assert len(expected) == 3  # the intermediate, the target after it, the target after none
    for key, losses in expected.items():
        assert found[key] == pytest.approx(losses, rel=1e-5)
        assert store.result(key)["execution"]["ranks"] == 2  # type: ignore[index,call-overload]
        left, right = tensors(key, store), tensors(key, alone)
        assert left.keys() == right.keys()
        assert max(float((left[name] - right[name]).abs().max()) for name in left) < 2e-5


def tensors(key: str, store: Store) -> dict[str, torch.Tensor]:
    files = store.fetch(key).glob("*.safetensors")
    return {f"{file.name}/{name}": tensor for file in files for name, tensor in read_tensors(file).items()}


def marked(folder: Path) -> list[int]:
    """The processes of ranks, wherever they hang, that a command in a folder brought about."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        try:
            is_rank = "stilts.training.rank_process" in (process.info["cmdline"] or ())
            if is_rank and process.environ().get("STILTS_TEST") == str(folder):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def waited(found: Any, within_s: float = 60.0) -> Any:
    until = time.monotonic() + within_s
    while not (value := found()) and time.monotonic() < until:
        time.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Store]:
    """The stores of studies that ran without ranks, by what they train."""
    stores = {}
    for way in WAYS:
        folder = tmp_path_factory.mktemp("alone")
        done = stilts("run", study(folder, way), "--store", "store", "--local", *RUN[:-2], cwd=folder)
        assert done.returncode == 0, done.stderr
        stores[way] = opened(folder / "store")
    return stores


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", [("--local",), ("--num-cpus", 2)], ids=["one after the other", "on Ray"])
def test_a_study_on_two_ranks_has_the_curves_of_one_and_leaves_nobody(
    how: tuple[object, ...], way: str, alone: Mapping[str, Store], tmp_path: Path
) -> None:
    env = environment(STILTS_TEST=str(tmp_path))
    done = stilts("run", study(tmp_path, way), "--store", "store", *RUN, *how, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert_alike(opened(tmp_path / "store"), alone[way])
    assert waited(lambda: not marked(tmp_path))


@pytest.mark.parametrize(
    ("who", "way"), [("rank 0", "all weights"), ("another rank", "all weights"), ("rank 0", "adapters")]
)
def test_a_rank_that_is_killed_on_ray_costs_a_retry(who: str, way: str, tmp_path: Path) -> None:
    file, env = study(tmp_path, way, steps=400), environment(STILTS_TEST=str(tmp_path))
    words = command("run", file, "--store", "store", *RUN, "--num-cpus", 2, "--checkpoint-every", 0.2)
    with subprocess.Popen(words, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as run:
        first = waited(lambda: marked(tmp_path), within_s=300)
        waited(lambda: list((tmp_path / "store").glob("progress/*/*")), within_s=120)
        killed = psutil.Process(first[0]).ppid() if who == "rank 0" else first[0]
        os.kill(killed, signal.SIGKILL)
        assert waited(lambda: not set(first) & set(marked(tmp_path)), within_s=20), "a rank outlived its rank 0"
        _, said = run.communicate(timeout=DEADLINE_S)
    assert run.returncode == 0, said
    assert "retry 1 of 2" in said
    assert ("its process ended by signal 9" in said) == (who == "another rank")
    assert len(curves(opened(tmp_path / "store"))) == 3
    assert waited(lambda: not marked(tmp_path))
