"""Sites as a device runs them: compiled on a GPU, once they were seen to compute there what plain torch does.

The first use of a site on a device runs a small batch both ways. The verdict stays with the process, and in a file
where there is a folder for it: a site that differs, or does not compile, is run as plain torch, and a line says so.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import torch

from stilts.fingerprint import text_digest
from stilts.models import sites
from stilts.whole_file import write_whole

Site: TypeAlias = Callable[..., Any]
Compile: TypeAlias = Callable[[Site], Site]

VERDICTS_FILE = "compiled_sites.json"
# How far a compiled site may be from plain torch, relative to the largest number: roundings of its dtype.
_APART = {torch.bfloat16: 2e-2, torch.float32: 1e-5}


def _compiled(function: Site) -> Site:
    """Of any number of rows and tokens: one program, and one more where an axis is 1."""
    return torch.compile(function, dynamic=True, fullgraph=True)


class CompiledSites:
    """The sites of one process, by device; ``folder`` keeps verdicts."""

    def __init__(self, compile_site: Compile = _compiled, device_types: frozenset[str] = frozenset({"cuda"})) -> None:
        self.folder: Path | None = None
        self._compile, self._device_types = compile_site, device_types
        self._ready: dict[tuple[str, str], Site | None] = {}
        self._aside: dict[str, str] = {}

    @property
    def uncompiled(self) -> dict[str, str]:
        """The sites that stepped aside on a device where they should be compiled, and why."""
        return dict(self._aside)

    def __call__(self, name: str, device: torch.device) -> Site:
        """The site of that name, as it is run on a device."""
        plain: Site = getattr(sites, name)
        if device.type not in self._device_types:
            return plain
        key = (name, device.type)
        if key not in self._ready:
            self._ready[key] = self._tried(name, plain, device)
        return self._ready[key] or plain

    def _tried(self, name: str, plain: Site, device: torch.device) -> Site | None:
        compiled = self._compile(plain)
        known, told = self._verdicts(), f"{name} on {_name(device)}, torch {torch.__version__}"
        reason = known.get(told)
        if reason is None:
            reason = _difference(name, plain, compiled, device)
            self._keep({**known, told: reason})
        if reason:
            self._aside[name] = reason
            warnings.warn(f"{told}: {reason}; it runs uncompiled, more slowly", RuntimeWarning, stacklevel=2)
        return None if reason else compiled

    def _verdicts(self) -> Mapping[str, str]:
        """What was found before, by site and device: the difference, empty where there is none."""
        found: object = None
        if self.folder is not None:
            with suppress(OSError, ValueError):
                found = json.loads((self.folder / VERDICTS_FILE).read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("sites") != _source():
            return {}
        verdicts = found.get("verdicts")
        return {str(site): str(reason) for site, reason in verdicts.items()} if isinstance(verdicts, dict) else {}

    def _keep(self, verdicts: Mapping[str, str]) -> None:
        if self.folder is not None:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                told = {"sites": _source(), "verdicts": dict(verdicts)}
                write_whole(self.folder / VERDICTS_FILE, json.dumps(told, indent=1).encode())


SITES = CompiledSites()


def _source() -> str:
    """Of the sites as they are written: verdicts on others are of no use."""
    return text_digest(Path(str(sites.__file__)).read_text(encoding="utf-8"))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _difference(name: str, plain: Site, compiled: Site, device: torch.device) -> str:
    """In what a compiled site is not the plain one on some small batches; empty where they agree."""
    for dtype in _APART:
        for given in _batches(name, dtype, device):
            try:
                (ours, slopes), (theirs, plain_slopes) = _both_ways(compiled, given), _both_ways(plain, given)
            except Exception as error:  # a compiler's errors are of many kinds
                return f"compiled, it fails ({type(error).__name__}: {' '.join(str(error).split())[:160]})"
            if not all(torch.equal(one == 0, other == 0) for one, other in zip(ours, theirs, strict=True)):
                return f"compiled, it drops other places ({dtype})"
            pairs = zip(ours + slopes, theirs + plain_slopes, strict=True)
            for number, (one, other) in enumerate(pairs):
                apart = (one.double() - other.double()).abs().max() / other.double().abs().max().clamp(min=1e-30)
                if not float(apart) <= _APART[dtype]:
                    return f"compiled, it is {float(apart):.1e} from plain torch ({dtype}, tensor {number})"
    return ""


def _both_ways(site: Site, given: tuple[Any, ...]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """What a site gives out, and the gradients at what it is given."""
    fresh = [
        each.detach().requires_grad_() if isinstance(each, torch.Tensor) and each.requires_grad else each
        for each in given
    ]
    out = site(*fresh)
    found = list(out) if isinstance(out, tuple) else [out]
    torch.autograd.backward(found, [_uneven(one) for one in found])
    slopes = [each.grad for each in fresh if isinstance(each, torch.Tensor) and each.grad is not None]
    return [one.detach() for one in found], slopes


def _uneven(like: torch.Tensor) -> torch.Tensor:
    """Numbers of which no axis has a constant sum: a softmax's gradient would vanish, and its roundings stand alone."""
    return torch.arange(like.numel(), device=like.device).float().mul_(0.7).sin_().view_as(like).to(like.dtype)


def _batches(name: str, dtype: torch.dtype, device: torch.device) -> Iterator[tuple[Any, ...]]:
    """Small inputs of a site, of two shapes."""
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int, of: torch.dtype = dtype) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(device, of).requires_grad_()

    def drop(rows: int, *places: int) -> sites.Thinning:
        keys = torch.randint(-(2**31), 2**31, (rows,), generator=generator, dtype=torch.int32)
        numbers = torch.randint(-(2**31), 2**31, places, generator=generator, dtype=torch.int32)
        line, share = torch.tensor(-(2**31) + 2**30, dtype=torch.int32), torch.tensor(0.75)
        return sites.Thinning(*(each.to(device) for each in (keys, numbers, line, share)))

    for rows, tokens in ((3, 5), (4, 130)):
        if name == "thinned":
            yield drawn(rows, tokens, 48), drop(rows, tokens, 48)
        elif name == "attended":
            hidden = torch.zeros(rows, 1, 1, tokens)
            hidden[0, ..., tokens // 2 :] = float("-inf")
            for dropped in (drop(rows, 2, tokens, tokens), None):
                yield drawn(rows, 2, tokens, tokens), hidden.to(device, dtype), 0.125, dropped
        elif name == "joined":
            for dropped in (drop(rows, tokens, 48), None):
                stream = drawn(rows, tokens, 48, of=torch.float32)
                norm = drawn(48, of=torch.float32), drawn(48, of=torch.float32)
                yield drawn(rows, tokens, 48), stream, *norm, 1e-5, dropped, dtype
