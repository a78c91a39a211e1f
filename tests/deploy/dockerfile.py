"""A Dockerfile as instructions, stages and arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Instructions of Dockerfile syntax 1.
INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage: its name, what it is from, and its instructions behind FROM."""

    name: str
    base: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """The arguments of each instruction of that name."""
        return [rest for word, rest in self.instructions if word == instruction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """What a Dockerfile says."""

    arguments: dict[str, str | None]
    stages: dict[str, Stage]

    @classmethod
    def at(cls, path: Path) -> Dockerfile:
        """The file's; ValueError for an instruction that is none."""
        return cls.of(path.read_text(encoding="utf-8"))

    @classmethod
    def of(cls, text: str) -> Dockerfile:
        """What a text says; ValueError for an instruction that is none."""
        arguments: dict[str, str | None] = {}
        stages: list[tuple[str, list[tuple[str, str]]]] = []
        for word, rest in _lines(text):
            if word not in INSTRUCTIONS:
                raise ValueError(f"{word} is no instruction")
            if word == "ARG":
                name, equals, value = rest.partition("=")
                arguments.setdefault(name, value if equals else None)
            if word == "FROM":
                stages.append((rest, []))
            elif stages:
                stages[-1][1].append((word, rest))
        return cls(arguments=arguments, stages={stage.name: stage for stage in map(_stage, stages)})

    def unmet(self, build: Any) -> list[str]:
        """What a Compose ``build`` asks for that the file has not."""
        found = [
            f"the Dockerfile has no argument {name}" for name in build.get("args", {}) if name not in self.arguments
        ]
        target = build.get("target")
        return found if target is None or target in self.stages else [*found, f"the Dockerfile has no stage {target}"]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n\s*", "", kept).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def _stage(found: tuple[str, list[tuple[str, str]]]) -> Stage:
    base, _, name = found[0].partition(" AS ")
    return Stage(name=name or base, base=base, instructions=tuple(found[1]))
