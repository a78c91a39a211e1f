"""DataView: one language of one split of one dataset, pinned to a commit or a content hash.

A view is what a stage carries: enough to load the same examples again, and the part of it that bears
identity. Made by ``stilts.tasks.resolve``, read by ``stilts.data.load``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from stilts.fingerprint import Json, digest
from stilts.tasks.kind import TaskKind
from stilts.tasks.task import Part, Source


@dataclass(frozen=True, kw_only=True)
class DataView:
    """Examples of one language of one split, as one use sees them.

    ``location`` says where the bytes are and never enters an id: for files ``{"root": name, "paths": [...]}`` with
    paths below that named root, for the hub ``{"repo", "config", "revision", "split"}``, for toy empty.
    ``fingerprint`` is ``sha256:...`` of the files, ``hub:<repo>@<commit>/<config>/<split>``, or
    ``toy:<generator>/<version>/...``. ``limit`` keeps at most that many examples, those with the smallest hash of
    their source item (with ``draw`` of it and that seed), so that all languages keep the same items. Examples whose
    content stands in a view of ``exclude`` are left out. ``shuffled`` is the seed by which labels were exchanged,
    ``as_text`` leaves texts alone (``stilts.data.control``).
    """

    dataset: str
    kind: TaskKind
    split: str
    language: str
    source: Source
    fingerprint: str
    reader: str
    options: Mapping[str, Json] = field(default_factory=dict)
    location: Mapping[str, Json] = field(default_factory=dict)
    part: Part = Part.ALL
    limit: int | None = None
    exclude: tuple[DataView, ...] = ()
    shuffled: int | None = None
    draw: int | None = None
    as_text: bool = False

    def payload(self) -> dict[str, Json]:
        """The identity fields: what decides which examples come out, and nothing of where they lie."""
        control: dict[str, Json] = {} if self.shuffled is None else {"shuffled": self.shuffled}
        control |= {} if self.draw is None else {"draw": self.draw}
        control |= {"as_text": True} if self.as_text else {}
        return {
            "dataset": self.dataset,
            "kind": self.kind.name,
            "split": self.split,
            "language": self.language,
            "source": self.source.value,
            "fingerprint": self.fingerprint,
            "reader": self.reader,
            "options": dict(self.options),
            "part": self.part.value,
            "limit": self.limit,
            "exclude": [view.digest for view in self.exclude],
            **control,
        }

    @cached_property
    def digest(self) -> str:
        """12 hex digits of the identity fields."""
        return digest(self.payload())
