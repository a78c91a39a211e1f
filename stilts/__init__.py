"""STILTs: fills a transfer matrix, and says what follows from it.

``Study.load`` reads a study file, ``run`` fills its matrix, ``load_matrix`` gives it as a tidy DataFrame. Names are
imported when they are first used, so that a stage runs on a machine that has neither Ray nor MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stilts.app.running import load_matrix, run
    from stilts.study.study import Study

__all__ = ["Study", "load_matrix", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Study":
        from stilts.study.study import Study

        return Study
    if name in ("run", "load_matrix"):
        from stilts.app import running

        return getattr(running, name)
    raise AttributeError(f"module 'stilts' has no attribute {name!r}")
