"""The tasks that ship with stilts, as tasks files: targets of XTREME and others, English intermediates, text.

One file for each theme, of the schema that users write (docs/add_a_task.md), read when something of it is asked for.
Every dataset has ``files`` in the release's own format (or, where it says so, as it was recast), most have ``hub`` as
Parquet and ``toy``, an artificial stand-in. A split lists every language that the release has; a folder may hold fewer,
and says so when one is missed. A target's ``dev`` follows DESIGN rule 6: the official English dev set where it is no
evaluation data, else a tenth of English train.

Figures, and overlaps that a declaration rests on, stand beside it. Sizes (``num_train``) are the papers' or the
releases', written down as known; looked up in the hub's own counts were Cosmos QA, MedMCQA, MultiEURLEX, PIQA, Social
IQA, STS-B and WinoGrande, and they agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# The files are ours, and a test holds them to this shape: names two blanks in, with nothing after the colon.
_NAMES = re.compile(r"^(?:(datasets|tasks)|  (\w+)):$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A file of the catalogue, and what it declares."""

    path: Path
    datasets: tuple[str, ...]
    tasks: tuple[str, ...]


@cache
def themes() -> tuple[Theme, ...]:
    """Every file of the catalogue by name; their names are found without reading them as YAML, in under 2 ms."""
    return tuple(_theme(path) for path in sorted(Path(__file__).parent.glob("*.yaml")))


def _theme(path: Path) -> Theme:
    names: dict[str, list[str]] = {"datasets": [], "tasks": []}
    part = names["datasets"]
    for heading, name in _NAMES.findall(path.read_text(encoding="utf-8")):
        if heading:
            part = names[heading]
        else:
            part.append(name)
    return Theme(path=path, datasets=tuple(names["datasets"]), tasks=tuple(names["tasks"]))
