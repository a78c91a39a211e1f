"""Leases among machines whose clocks are hours apart and jump: no beating holder is robbed, no dead one outstays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stilts.errors import LeaseHeldError, LeaseLostError
from tests.store.lease_world import NAME, TTL_S, Machine, World

HOSTS = ("A", "B", "C")
WRONG_S = st.sampled_from([0.0, 0.0, 20.0, -20.0, 61.0, -61.0, 3660.0, -3660.0, 1e6, -1e6])
DAY_S = 86_400.0


def holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except LeaseLostError:
        return False
    return True


class Rivals(RuleBasedStateMachine):
    """Three machines after one lease; clocks jump, processes stall and start anew, gc drops what looks abandoned."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.machines = {host: self.world.machine(host) for host in HOSTS}

    @rule(seconds=st.sampled_from([0.5, 2.0, 7.0, 31.0, 70.0, 2 * DAY_S]))
    def time_passes(self, seconds: float) -> None:
        # Two days are one step for who sleeps them; a holder that beats need not be told every beat of them.
        if seconds > DAY_S and any(holder.beating for holder in self.world.holders):
            seconds = 70.0
        self.world.pass_time(seconds)

    @rule(host=st.sampled_from(HOSTS), wrong_s=WRONG_S)
    def clock_jumps(self, host: str, wrong_s: float) -> None:
        self.machines[host].wrong_s = wrong_s

    @rule(host=st.sampled_from(HOSTS))
    def process_starts_anew(self, host: str) -> None:
        self.machines[host].restart()

    @rule(host=st.sampled_from(HOSTS))
    def rival_asks(self, host: str) -> None:
        try:
            self.world.take(self.machines[host])
        except LeaseHeldError:
            return

    @rule(host=st.sampled_from(HOSTS))
    def somebody_looks(self, host: str) -> None:
        live = {state.name for state in self.machines[host].leases.states() if state.live}
        if any(holder.beating and holder.faithful for holder in self.world.holders):
            assert live == {NAME}

    @rule(host=st.sampled_from(HOSTS))
    def gc_drops(self, host: str) -> None:
        leases = self.machines[host].leases
        for state in leases.states():
            if not state.live:  # as of a stage that is done; others must be silent for a day besides
                leases.drop(state.name, state.generation)

    @precondition(lambda self: self.world.holders)
    @rule(data=st.data())
    def holder_stalls_or_goes_on(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self.world.holders))
        holder.faithful = False
        holder.beating = not holder.beating
        holder.beats_at = self.world.now
        self.world.pass_time(0.0)

    @precondition(lambda self: self.world.holders)
    @rule(data=st.data())
    def holder_gives_back(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self.world.holders))
        holder.lease.__exit__(None, None, None)
        self.world.holders.remove(holder)

    @invariant()
    def at_most_one_may_publish(self) -> None:
        assert sum(holds(holder.lease.check) for holder in self.world.holders) <= 1

    @invariant()
    def who_never_missed_a_beat_was_not_robbed(self) -> None:
        assert all(holds(one.lease.check) for one in self.world.holders if one.faithful)


TestRivals = Rivals.TestCase
TestRivals.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@given(
    wrong_s=st.tuples(WRONG_S, WRONG_S, WRONG_S),
    lived_s=st.sampled_from([0.0, 3.0, 44.0, 300.0]),
    looks_s=st.lists(st.floats(0.5, 10.0), min_size=1, max_size=5),
    anew=st.booleans(),
    jumps=st.booleans(),
    watched=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_dead_holder_is_replaced_in_time_whatever_the_clocks_say(
    wrong_s: tuple[float, float, float], lived_s: float, looks_s: list[float], anew: bool, jumps: bool, watched: bool
) -> None:
    """``anew``: every look is another process's. ``watched``: the observers were there while the holder lived."""
    world = World()
    dead, *rivals = [world.machine(host, ahead) for host, ahead in zip(HOSTS, wrong_s, strict=True)]
    holder = world.take(dead)

    def ask(rival: Machine) -> bool:
        try:
            world.take(rival)
        except LeaseHeldError:
            return False
        return True

    for _ in range(int(lived_s)):
        world.pass_time(1.0)
        assert not (watched and any([ask(rival) for rival in rivals]))
    holder.beating = False
    died, turn = world.now, 0
    while not any([ask(rival) for rival in rivals]):
        world.pass_time(looks_s[turn % len(looks_s)])
        turn += 1
        assert world.now - died <= TTL_S + 20.0  # of 2 x ttl_s that it may take
        for rival in rivals:
            rival.wrong_s += 7_000.0 * jumps * (-1) ** turn
            if anew:
                rival.restart()
    assert world.now - died > TTL_S - 5.0
    with pytest.raises(LeaseLostError):
        holder.lease.check()


@given(slow_s=st.sampled_from([0.0, 4.0, 29.0, 100.0]), looks=st.integers(1, 6))
@settings(deadline=None)
def test_an_observer_that_sleeps_while_it_reads_robs_nobody(slow_s: float, looks: int) -> None:
    world = World()
    holder, rival = world.take(world.machine("A")), world.machine("B")
    for _ in range(looks):
        for read_s in (0.0, slow_s):
            world.objects.slow_s = read_s
            with pytest.raises(LeaseHeldError):
                rival.leases.take(NAME)
    holder.lease.check()
