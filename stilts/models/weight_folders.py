"""Which folders a model is read from. No torch: also what only names a model imports this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stilts.tasks.weight_files import LM_HEAD_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The folders that hold a model: ``base`` with all weights, and the adapters on it, the lowest first."""

    base: Path
    adapters: tuple[Path, ...] = ()

    @property
    def top(self) -> Path:
        """The folder of the heads: what was trained last."""
        return self.adapters[-1] if self.adapters else self.base

    @property
    def lm_head(self) -> Path:
        """The masked-LM head: that of the last that trained it, else the base's, which need not have one there."""
        files = [folder / LM_HEAD_FILE for folder in (*reversed(self.adapters), self.base)]
        return next((file for file in files if file.exists()), files[-1])
