"""How long a study's examples are under its tokenizer, by a sample: hours and memory of a plan rest on it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from stilts.app.measuring import study_tokenizer
from stilts.app.workspace import Workspace
from stilts.data.load import load_examples
from stilts.errors import EncoderError
from stilts.kinds.lengths import lengths_of
from stilts.study.config import TaskConfig
from stilts.study.workload import TextLengths, assumed_lengths
from stilts.tasks.task import Source, Task
from stilts.tasks.view import DataView

if TYPE_CHECKING:
    from stilts.kinds.prepare import Preparation

# Examples of a view and views of a stage that are looked at: the mean is then known within a few per cent.
_EXAMPLES, _VIEWS = 200, 4


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledLengths:
    """TextLengths of views that lie on this machine, each looked at once; of the hub's they are assumed.

    Where ``hub_is_away`` and the encoder's tokenizer lies there, all are assumed.
    """

    workspace: Workspace
    hub_is_away: bool = False
    _found: dict[Hashable, TextLengths] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
        """Mean and longest of a sample; assumed where nothing can be looked at."""
        key = (task.learner, task.kind.name, *config.lengths.values(), *(view.digest for view in views))
        if key not in self._found:
            self._found[key] = self._sampled(task, config, views)
        return self._found[key]

    def _sampled(self, task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
        here = [view for view in views if view.source is not Source.HUB]
        preparation = self._preparation if here else None
        if preparation is None:
            return assumed_lengths(task, config, views)
        looked_at = here[:: -(-len(here) // _VIEWS)]
        parts = [preparation.encoded(task, _part_of(view), **config.lengths) for view in looked_at]
        return lengths_of(parts, examples=sum(self._count(view) for view in views))

    def _count(self, view: DataView) -> int:
        """At most as many as its limit; those of the hub are not counted."""
        if view.source is Source.HUB:
            return view.limit or 1000
        return view.limit or len(load_examples(view, self.workspace.roots))

    @cached_property
    def _preparation(self) -> Preparation | None:
        from stilts.kinds.prepare import Preparation

        encoder = self.workspace.resolved.encoder
        try:
            tokenizer = study_tokenizer(self.workspace)
        except EncoderError:
            if self.hub_is_away:
                return None
            raise
        return Preparation(tokenizer=tokenizer, fingerprint=encoder.tokenizer, roots=self.workspace.roots)


def _part_of(view: DataView) -> DataView:
    return replace(view, limit=min(view.limit or _EXAMPLES, _EXAMPLES))
