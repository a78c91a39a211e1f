"""What a stage trains instead of all weights: an adapter (LoRA), and what becomes of the one it starts from.

All of it is identity. A stage without an adapter says nothing of it, so its id is that of before there were any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from stilts.fingerprint import Json

# Names and shapes (out, in) of an encoder's linear layers, by the name of their module.
LinearShapes: TypeAlias = Mapping[str, tuple[int, ...]]


class ParentAdapter(StrEnum):
    """What becomes of the adapter that a stage's parent trained, before the stage trains.

    ``MERGE``: it is added to the weights. ``STACK``: it stays what it is, frozen and applied (with its own dropout, as
    peft does it), and a new one is trained beside it. ``DROP``: the stage starts from what the parent started from.
    """

    MERGE = "merge"
    STACK = "stack"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSites:
    """Where adapters may stand in an encoder: its linear layers, and the ends of the names of the usual ones.

    ``linear`` is None for families of which only the built model tells them.
    """

    linear: LinearShapes | None = None
    usual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterConfig:
    """LoRA (Hu et al. 2021): a matrix W becomes W + alpha / rank x B A, of which B and A are trained.

    ``modules`` are ends of the names of the encoder's linear layers: ``query`` is that of every layer,
    ``attention.output.dense`` the one behind the attention. ``dropout`` is on what goes into A.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    modules: tuple[str, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any], usual: tuple[str, ...] = ()) -> AdapterConfig:
        """The adapter of a study file's fields, those that are left out or null as usual."""
        given = {name: value for name, value in fields.items() if value is not None}
        given["modules"] = tuple(sorted(set(given.get("modules", usual))))  # their order says nothing
        if "alpha" in given:
            given["alpha"] = float(given["alpha"])
        return cls(**given)

    @property
    def scaling(self) -> float:
        """What B A is multiplied with."""
        return self.alpha / self.rank

    def payload(self) -> dict[str, Json]:
        """Identity fields as plain JSON."""
        return {"rank": self.rank, "alpha": self.alpha, "dropout": self.dropout, "modules": list(self.modules)}

    def adapts(self, module: str) -> bool:
        """Whether a linear layer of the encoder, by its whole name, gets matrices of its own."""
        return any(_ends_with(module, name) for name in self.modules)

    def unknown(self, linear: Iterable[str]) -> list[str]:
        """The modules that name none of an encoder's linear layers."""
        names = tuple(linear)
        return [name for name in self.modules if not any(_ends_with(module, name) for module in names)]

    def num_weights(self, linear: LinearShapes) -> int:
        """How many numbers the adapter has in an encoder with these linear layers."""
        return self.rank * sum(out + into for module, (out, into) in linear.items() if self.adapts(module))


def linear_shapes(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """Of an encoder's tensors, by name and shape, the matrices that are no embeddings."""
    return {
        name.removesuffix(".weight"): tuple(shape)
        for name, shape in shapes
        if name.endswith(".weight") and len(shape) == 2 and "embed" not in name
    }


def _ends_with(module: str, name: str) -> bool:
    return module == name or module.endswith(f".{name}")
