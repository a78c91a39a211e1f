"""What rank 0 can ask of another rank: values with ``serve``, sent over its pipe (``crew.py``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.distributed as dist

from stilts.data.collate import Batch, Vocabulary
from stilts.data.encoded import Encoded
from stilts.kinds.scorer import Alter, Forward, Scorer
from stilts.models.attention import forward_only
from stilts.models.device_memory import give_back
from stilts.models.model import StiltsModel
from stilts.study.config import Precision
from stilts.training.device import autocast, set_up
from stilts.training.feed import Training
from stilts.training.loop import InProgress, begin, obey
from stilts.training.rank_group import find, join, of_rank
from stilts.training.ranks import Order, Ranks
from stilts.training.run_config import RunConfig
from stilts.training.sharding import release

# Builds a model in the process that calls it; travels by pickle.
MakeModel = Callable[[], StiltsModel]


@dataclass(slots=True, kw_only=True)
class Member:
    """A rank other than 0: what it is, and what it holds of the stage at hand."""

    rank: int
    size: int
    reply: Callable[[Any], None]
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    control: dist.ProcessGroup | None = None
    model: StiltsModel | None = None
    now: InProgress | None = None

    def __post_init__(self) -> None:
        self.reply("imported")  # rank 0 waits for it: from here on all ranks are equally quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Has the rank meet the others."""

    port: int
    run: RunConfig

    def serve(self, member: Member) -> None:
        """Joins the group."""
        member.device = set_up(of_rank(self.run, member.rank))
        member.control = join(find(self.port), rank=member.rank, size=member.size, device=member.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Has the rank load a model that is scored."""

    make: MakeModel
    run: RunConfig
    precision: Precision

    def serve(self, member: Member) -> None:
        """Loads it to the rank's device."""
        member.device = set_up(of_rank(self.run, member.rank), self.precision)
        member.model = self.make().to(member.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginTraining:
    """Has the rank begin a training, or go on from its last checkpoint; it saves, reports and scores nothing."""

    make: MakeModel
    training: Training
    is_sharded: bool

    def serve(self, member: Member) -> None:
        """Comes to where the next step begins."""
        run = of_rank(self.training.run, member.rank)
        member.device = set_up(run, self.training.config.precision)
        member.model = self.make()
        ranks = Ranks(rank=member.rank, size=member.size, is_sharded=self.is_sharded, control=member.control)
        member.now = begin(member.model, replace(self.training, run=run, ranks=ranks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Obey:
    """Has the rank do its part of something that all do."""

    order: Order

    def serve(self, member: Member) -> None:
        """Does it."""
        assert member.now is not None
        obey(member.now, self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Has the rank let go of what it holds: the stage is over."""

    def serve(self, member: Member) -> None:
        """Gives the memory back."""
        member.model = member.now = None
        give_back(member.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Has the rank compute something of its batches of some data, and send it to rank 0: round robin, longest first."""

    forward: Forward
    alter: Alter | None
    encoded: Encoded
    vocabulary: Vocabulary
    eval_tokens: int
    precision: Precision
    is_sharded: bool

    def serve(self, member: Member) -> None:
        """Sends for each of the rank's batches its units, in pieces, each with what came of it as numbers."""
        assert member.model is not None
        scorer = Scorer(
            model=member.model,
            vocabulary=self.vocabulary,
            device=member.device,
            eval_tokens=self.eval_tokens,
            autocast=autocast(member.device, self.precision),
        )
        member.model.eval()
        with forward_only():
            for found in self.share(scorer, member.rank, member.size):
                member.reply([(batch.units, made.cpu().numpy()) for batch, made in found])

    def share(self, scorer: Scorer, rank: int, size: int) -> Iterator[Iterator[tuple[Batch, torch.Tensor]]]:
        """For each batch of a rank its pieces, with what comes of them.

        Where a pass is a collective, all ranks take as many, and none takes its own in halves.
        """
        units = scorer.cut(self.encoded)
        try:
            for first in range(0, len(units), size):
                number = first + rank
                if not self.is_sharded and number < len(units):
                    yield scorer.within_memory(self.forward, self.encoded, units[number], self.alter)
                elif self.is_sharded:
                    batch = scorer.batch(self.encoded, units[min(number, len(units) - 1)], self.alter).to(scorer.device)
                    with scorer.autocast():
                        made = self.forward(scorer.model, batch)
                    if number < len(units):
                        yield iter([(batch, made)])
        finally:
            release(scorer.model)
