"""Sites are compiled where they compute what plain torch does, and step aside where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.models import sites
from stilts.models.compiled_sites import VERDICTS_FILE, CompiledSites, _compiled

CPU = frozenset({"cpu"})
HERE = torch.device("cpu")
NAMES = sites.SITE_NAMES


class Compiler:
    """Compiles nothing: gives a wrapper of the plain site, which ``spoil`` may alter, and counts."""

    def __init__(self, spoil: Callable[[Any], Any] = lambda out: out) -> None:
        self.spoil, self.calls = spoil, 0

    def __call__(self, site: Callable[..., Any]) -> Callable[..., Any]:
        def compiled(*given: Any) -> Any:
            self.calls += 1
            out = site(*given)
            return tuple(map(self.spoil, out)) if isinstance(out, tuple) else self.spoil(out)

        return compiled


def broken(out: torch.Tensor) -> torch.Tensor:
    raise RuntimeError("no such kernel")


@pytest.mark.parametrize("name", NAMES)
def test_a_device_of_another_kind_runs_plain_torch(name: str) -> None:
    compiler = Compiler()
    assert CompiledSites(compiler)(name, HERE) is getattr(sites, name) and compiler.calls == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_site_that_agrees_is_taken_and_asked_once(name: str) -> None:
    compiler = Compiler()
    ready = CompiledSites(compiler, CPU)
    taken = ready(name, HERE)
    calls = compiler.calls
    assert taken is not getattr(sites, name) and calls >= 4
    assert ready(name, HERE) is taken and compiler.calls == calls


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda out: out * 1.1, "from plain torch"),
        (lambda out: torch.where(torch.arange(out.shape[-1]) == 0, 0.0, out), "drops other places"),
        (lambda out: out * float("nan"), "from plain torch|drops other places"),
        (broken, "it fails .RuntimeError: no such kernel"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_one_that_differs_or_fails_steps_aside_and_says_so(name: str, spoil: Callable[[Any], Any], said: str) -> None:
    ready = CompiledSites(Compiler(spoil), CPU)
    with pytest.warns(RuntimeWarning, match=said) as warned:
        assert ready(name, HERE) is getattr(sites, name)
    assert len(warned) == 1 and ready(name, HERE) is getattr(sites, name)


def test_gradients_are_compared_too() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient * 1.5

    ready = CompiledSites(Compiler(Wrong.apply), CPU)
    with pytest.warns(RuntimeWarning, match="from plain torch"):
        assert ready("joined", HERE) is sites.joined


def test_a_verdict_is_kept_and_believed_as_long_as_the_sites_are_the_same(tmp_path: Path) -> None:
    first = CompiledSites(Compiler(), CPU)
    first.folder = tmp_path / "cache"
    first("thinned", HERE)
    with pytest.warns(RuntimeWarning):
        spoilt = CompiledSites(Compiler(broken), CPU)
        spoilt.folder = first.folder
        spoilt("joined", HERE)
    compiler = Compiler()
    second = CompiledSites(compiler, CPU)
    second.folder = first.folder
    assert second("thinned", HERE) is not sites.thinned and compiler.calls == 0
    with pytest.warns(RuntimeWarning, match="no such kernel"):
        assert second("joined", HERE) is sites.joined
    path = first.folder / VERDICTS_FILE
    for spoil in ({"sites": "others"}, {"verdicts": None}, {"verdicts": 3}):
        path.write_text(json.dumps({**json.loads(path.read_text()), **spoil}))
        third = CompiledSites(Compiler(), CPU)
        third.folder = first.folder
        assert third("joined", HERE) is not sites.joined
    path.write_text("[")
    assert third("thinned", HERE) is not sites.thinned


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_inductor_computes_what_plain_torch_does(name: str, recwarn: pytest.WarningsRecorder) -> None:
    """On a CPU: a GPU's code is another, and is held to the same on its first use."""
    assert CompiledSites(_compiled, CPU)(name, HERE) is not getattr(sites, name)
    assert not [each for each in recwarn if "uncompiled" in str(each.message)]
