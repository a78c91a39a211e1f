"""Rank 0's side of a stage that several ranks work on: it says what is done, and does its own part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.distributed as dist

from stilts.data.collate import Batch
from stilts.data.encoded import Encoded
from stilts.errors import InputError
from stilts.kinds.scorer import Alter, Deal, Forward, Scorer
from stilts.models.model import StiltsModel
from stilts.study.config import Precision
from stilts.training.checkpoint import TrainState
from stilts.training.crew import Crew, crew_of, end_crew
from stilts.training.feed import Training
from stilts.training.following import BeginTraining, Compute, Join, Load, MakeModel, Obey, Rest
from stilts.training.loop import train
from stilts.training.rank_group import give_up_waiting, join, leave, of_rank, open_door
from stilts.training.ranks import Order, Ranks
from stilts.training.reporter import Evaluation, SilentReporter
from stilts.training.run_config import RunConfig
from stilts.training.sharding import gathered, is_sharded


@dataclass(slots=True)
class Leader:
    """This process as rank 0 of several; ``run`` is its own part of how the stage is run."""

    crew: Crew
    run: RunConfig
    control: dist.ProcessGroup | None
    is_sharded: bool = False

    def train(self, model: StiltsModel, training: Training, make: MakeModel) -> tuple[TrainState, bool]:
        """``loop.train`` on all ranks; ``make`` builds the model that ``model`` is, in the others."""
        self.is_sharded = is_sharded(model, self.run)
        alone = replace(training, run=self.run, reporter=SilentReporter(), evaluate=_not_asked, save=_not_kept)
        self.crew.tell(BeginTraining(make=make, training=alone, is_sharded=self.is_sharded))
        return train(model, replace(training, ranks=self._ranks()))

    def whole(self, model: StiltsModel, make: MakeModel) -> StiltsModel:
        """A trained model as one process has it; where it is sharded, on the CPU."""
        if not self.is_sharded:
            return model
        whole = make()
        self.crew.tell(Obey(order=Order.GATHER_WEIGHTS))
        current = whole.state_dict()
        for name, tensor in gathered(model.state_dict()):
            current[name].copy_(tensor)
        return whole

    def load(self, make: MakeModel, precision: Precision) -> None:
        """Has the other ranks load the model that is scored."""
        self.crew.tell(Load(make=make, run=self.run, precision=precision))

    def deal(self, precision: Precision) -> Deal:
        """Has all ranks compute what a scorer of the model at hand is asked."""

        def dealt(
            scorer: Scorer, forward: Forward, encoded: Encoded, alter: Alter | None
        ) -> Iterator[tuple[Batch, torch.Tensor]]:
            asked = Compute(
                forward=forward,
                alter=alter,
                encoded=encoded,
                vocabulary=scorer.vocabulary,
                eval_tokens=scorer.eval_tokens,
                precision=precision,
                is_sharded=self.is_sharded,
            )
            self.crew.tell(asked)
            left, size = len(scorer.cut(encoded)), self.crew.size
            for own in asked.share(scorer, 0, size):
                yield from own
                for rank in range(1, min(size, left)):
                    for units, made in self.crew.receive(rank):
                        yield scorer.batch(encoded, units, alter), torch.from_numpy(made)
                left -= size

        return dealt

    def _ranks(self) -> Ranks:
        return Ranks(
            size=self.crew.size,
            is_sharded=self.is_sharded,
            tell=lambda order: self.crew.tell(Obey(order=order)),
            control=self.control,
        )


@contextmanager
def led(run: RunConfig) -> Iterator[Leader | None]:
    """Rank 0 of as many ranks as ``run`` says, for one stage; None where it is one.

    RankError, with what that rank failed with as its cause, where another rank failed. Whatever breaks a stage off
    ends the ranks; else they stay for the next one.
    """
    if run.ranks == 1:
        yield None
        return
    _check_devices(run)

    def meet(crew: Crew) -> dist.ProcessGroup | None:
        for rank in range(1, crew.size):
            crew.receive(rank)
        store, port = open_door()
        crew.tell(Join(port=port, run=run))
        crew.on_failure.append(give_up_waiting)
        crew.on_close.append(leave)
        device = torch.device(of_rank(run, 0).device)
        return join(store, rank=0, size=crew.size, device=device)

    crew = crew_of(run.ranks, torch.device(run.device).type, meet)
    try:
        yield Leader(crew, run, crew.met)
        crew.tell(Rest())
    except BaseException as error:
        cause = crew.cause_of(error)
        end_crew()
        if cause is error:
            raise
        raise cause from cause.__cause__


def _check_devices(run: RunConfig) -> None:
    """Raises InputError where this process sees fewer GPUs than the stage has ranks."""
    there = torch.cuda.device_count() if run.device.startswith("cuda") else run.ranks
    if there < run.ranks:
        raise InputError(
            f"a stage on {run.ranks} GPUs",
            f"this process sees {there}",
            "Each rank works on a GPU of its own",
            f"Ask for {there} under resources.gpus, or run it where there are more"
            if there
            else "Run it where there are",
        )


def _not_asked(model: StiltsModel) -> Evaluation:
    raise AssertionError("rank 0 alone asks for scores")


def _not_kept(folder: Path) -> None:
    raise AssertionError("rank 0 alone keeps checkpoints")
