"""Leases with clocks that are given: what is told, what is judged at the first look, and what strays do."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import LeaseHeldError, LeaseLostError, StoreError
from stilts.ledger.gc import apply_gc, plan_gc
from stilts.store import Store, make_store, open_store
from stilts.store.here import Here
from tests.store.lease_world import HEARTBEAT_S, NAME, TTL_S, Machine, World

NOW = 1_700_000_000.0
DEEP = "[" * 30_000


def told(machine: Machine) -> str:
    with pytest.raises(LeaseHeldError) as caught:
        machine.leases.take(NAME)
    return str(caught.value)


def test_a_holder_elsewhere_is_told_with_host_and_pid_and_when_it_was_seen_to_change() -> None:
    world = World()
    world.take(world.machine("A"))
    observer = world.machine("B")
    assert "process 77 on A holds it (first seen just now; if nothing of it changes it is free in 60 s)" in told(
        observer
    )
    world.pass_time(3.0)
    assert "not seen to change for 3 s; it is free after 60 s" in told(observer)
    world.pass_time(4.0)
    told(observer)
    world.pass_time(2.0)
    message = told(observer)
    assert "process 77 on A holds it (last seen to change 2 s ago)" in message and "clock" not in message


@pytest.mark.parametrize("wrong_s", [3660.0, -3660.0])
def test_clocks_that_differ_are_told(wrong_s: float) -> None:
    world = World()
    world.take(world.machine("A", wrong_s))
    observer = world.machine("B")
    first = told(observer)
    if wrong_s > 0:
        assert "The clocks of B and A differ by 61 min or more." in first
    else:
        assert "reads 61 min ago by this clock: it stopped, or the clocks of B and A differ by that." in first
    world.pass_time(HEARTBEAT_S + 1)
    assert "The clocks of B and A differ by 61 min." in told(observer)


def test_a_frozen_clock_is_no_silence() -> None:
    world = World()
    machine, observer = world.machine("A"), world.machine("B")
    lease = world.take(machine).lease
    lease._here = replace(machine.here, wall=lambda: 5.0, ticks=lambda: {"monotonic": 5.0})
    for _ in range(100):
        world.pass_time(2.0)
        assert "holds it" in told(observer)


def test_on_one_machine_the_clocks_of_the_machine_decide_at_the_first_look() -> None:
    world = World()
    machine = world.machine("A")
    holder = world.take(machine)
    holder.beating = False
    world.pass_time(TTL_S - 1)
    for machine.wrong_s in (0.0, 3660.0, -3660.0):
        machine.restart()
        assert "last heartbeat 59 s ago" in told(machine)
    assert "The clocks of two processes on A differ by 61 min." in told(machine)
    world.pass_time(2.0)
    machine.restart()
    assert not any(state.live for state in machine.leases.states())
    world.take(machine)


def test_another_boot_is_another_machine() -> None:
    world = World()
    machine = world.machine("A")
    world.take(machine).beating = False
    world.pass_time(3 * 3600.0)
    machine.boot, machine.up_since = 2, world.now - 20.0
    machine.restart()
    assert "first seen just now" in told(machine)
    world.pass_time(TTL_S + 1)
    world.take(machine)


@pytest.mark.parametrize("beat", [NOW, NOW + 3600, NOW - 3600])
def test_records_of_older_versions_are_understood(beat: float) -> None:
    world = World()
    path, observer = f"leases/{NAME}/00000003.json", world.machine("B")

    def write(at: float) -> None:
        owner = {"host": "A", "machine": "A|1", "pid": 5, "started": "9"}
        fields = {"token": "00000003-x", "ttl_s": 60.0, "owner": owner, "beat": at}
        world.objects.held[path] = json.dumps(fields).encode()

    for second in range(200):
        if second % 5 == 0:
            write(beat + second)
        assert "process 5 on A holds it" in told(observer)
        world.pass_time(1.0)
    world.pass_time(TTL_S)
    assert world.take(observer).lease.generation == 4


def test_a_heartbeat_is_one_read_and_one_write() -> None:
    world = World()
    holder = world.take(world.machine("A"))
    world.objects.reads = world.objects.writes = 0
    holder.lease.beat()
    assert (world.objects.reads, world.objects.writes) == (1, 1)


def test_who_slept_while_the_lease_was_dropped_and_its_number_used_again_has_lost_it() -> None:
    world = World()
    sleeper = world.take(world.machine("A"))
    sleeper.beating = sleeper.faithful = False
    second, third = world.machine("B"), world.machine("C")
    told(second)
    world.pass_time(TTL_S + 1)
    world.take(second).lease.__exit__(None, None, None)
    third.leases.drop(NAME, 2)
    world.holders.clear()
    holder = world.take(third)
    assert holder.lease.generation == sleeper.lease.generation == 1
    for act in (sleeper.lease.check, sleeper.lease.beat):
        with pytest.raises(LeaseLostError, match="taken it over"):
            act()
    sleeper.lease.__exit__(None, None, None)  # leaves no mark on the new holder's lease
    holder.lease.check()
    assert "holds it" in told(second)


def test_a_lease_whose_holder_woke_since_it_was_listed_is_not_dropped() -> None:
    world = World()
    holder, observer = world.take(world.machine("A")), world.machine("B")
    holder.beating = holder.faithful = False
    observer.leases.states()
    world.pass_time(2 * 86_400.0)
    (state,) = observer.leases.states()
    assert not state.live and state.silent_s > 86_400.0
    holder.lease.beat()
    with pytest.raises(LeaseHeldError, match="last seen to change"):
        observer.leases.drop(NAME, state.generation)
    holder.lease.check()


def test_a_mark_of_release_left_alone_releases_nobody() -> None:
    world = World()
    world.objects.held[f"leases/{NAME}/00000001.released"] = b"{}"
    holder = world.take(world.machine("A"))
    holder.lease.check()
    assert holder.lease.generation == 2 and "holds it" in told(world.machine("B"))


def test_a_generation_that_nobody_reaches_is_one_message() -> None:
    world = World()
    world.objects.held[f"leases/{NAME}/999999999.released"] = b"{}"
    with pytest.raises(StoreError, match=r"999999999\.json or \.released.* Delete that file"):
        world.take(world.machine("A"))


OWNER: dict[str, Any] = {"host": "elsewhere", "machine": "elsewhere|1", "pid": 3, "started": "1"}
ODD = {
    "empty": b"",
    "no JSON": b"\xff\xfe{",
    "a list": b"[]",
    "nested deep": DEEP.encode(),
    "nested deep and large": ("[" * 200_000).encode(),
    "large": b'{"token": "' + b"x" * 2_000_000 + b'"}',
    "beat of 1e400": b'{"beat": 1e400, "ttl_s": 0.2}',
    "beat of 400 digits": b'{"beat": ' + b"9" * 400 + b', "ttl_s": 0.2}',
    "beat of 5000 digits": b'{"beat": ' + b"9" * 5000 + b"}",
    "beat NaN": b'{"beat": NaN, "ttl_s": NaN}',
    "an hour ahead": json.dumps({"beat": time.time() + 3600, "ttl_s": 0.2, "owner": OWNER}).encode(),
    "negative ttl": b'{"beat": 5, "ttl_s": -3}',
    "endless ttl": b'{"beat": 5, "ttl_s": 1000000000000}',
    "infinite ttl": b'{"beat": 5, "ttl_s": Infinity}',
    "wrong types": b'{"beat": [], "ttl_s": "x", "owner": [1], "ticks": 3, "beats": {}, "token": {}}',
    "owner of wrong types": b'{"owner": {"host": [], "machine": 5, "pid": "1", "started": {}}, "ttl_s": true}',
    "a pid of 400 digits": json.dumps({"owner": {**OWNER, "pid": 10**400}}).encode(),
    "a true pid": json.dumps({"owner": {**OWNER, "pid": True}}).encode(),
    "a lone surrogate": b'{"owner": {"host": "\\ud800\\u001b[31m", "pid": 3, "machine": "\\ud800"}}',
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"), lease_ttl_s=0.2, heartbeat_s=0.05)


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_a_record_that_cannot_be_read_is_held_until_it_was_seen_unchanged(store: Store, data: bytes) -> None:
    store.backend.create(f"leases/{NAME}/00000007.json", data)
    with pytest.raises(LeaseHeldError) as caught:
        store.lease(NAME)
    str(caught.value).encode()
    assert "\x1b" not in str(caught.value)
    assert store.leased() == {NAME} and plan_gc(store, []).drops == ()
    time.sleep(0.3)
    with store.lease(NAME) as lease:
        lease.check()
    assert store.leased() == frozenset()


def test_a_record_of_this_machine_with_an_odd_pid_is_no_traceback(store: Store) -> None:
    machine = Here().owner().machine
    for generation, pid in enumerate((10**400, -1, 0, 2**31, True, 1.5, None), start=1):
        owner = {**OWNER, "machine": machine, "pid": pid}
        store.backend.create(f"leases/{NAME}/{generation:08d}.json", json.dumps({"owner": owner}).encode())
        with pytest.raises(LeaseHeldError, match="does not name"):
            store.lease(NAME)


def test_strays_among_leases_are_passed_over(store: Store, tmp_path: Path) -> None:
    folder = Path(store.url) / "leases"
    with store.lease(NAME):
        pass
    for stray in (".DS_Store", "00000001.json", "a file", f"{NAME}/.DS_Store", f"{NAME}/{'9' * 200}.json"):
        (folder / stray).write_text("x")
    for stray in (f"{NAME}/0000000000002.json", f"{NAME}/٠٠٠٠٠٠٠9.json", f"{NAME}/00000000.json", f"{NAME}/1.json"):
        (folder / stray).write_text("x")
    for stray in ("empty", f"{NAME}/sub", f"{NAME}/00000004.json", "a b"):
        (folder / stray).mkdir()
    for stray in (f"{NAME}/sub/00000009.json", "a b/00000001.json", "a b/00000002.released"):
        (folder / stray).write_text("x")
    (folder / NAME / "00000003.json").symlink_to(tmp_path / "nowhere")
    assert store.leased() == frozenset() and {state.name for state in store.lease_states()} == {NAME}
    plan_gc(store, [])
    with store.lease(NAME) as lease:
        lease.check()
        assert store.leased() == {NAME}
    with store.lease("empty") as lease:
        lease.check()


def test_a_file_where_the_folder_of_a_lease_belongs_is_one_message(store: Store) -> None:
    (Path(store.url) / "leases").mkdir()
    (Path(store.url) / "leases" / NAME).write_text("x")
    with pytest.raises(StoreError, match="no folder lies where a folder of the store belongs"):
        store.lease(NAME)
    assert store.leased() == frozenset()


def test_gc_keeps_what_a_machine_with_a_wrong_clock_may_hold(store: Store) -> None:
    data = json.dumps({"beat": time.time() - 30 * 86_400, "ttl_s": 0.2, "owner": OWNER}).encode()
    store.backend.create(f"leases/{NAME}/00000001.json", data)
    half = Path(store.url) / "files" / NAME / ("attempt-" + "0" * 16) / "weights"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    apply_gc(store, plan_gc(store, []))
    assert half.exists() and store.leased() == {NAME}
    time.sleep(0.3)
    apply_gc(store, plan_gc(store, []))
    assert not half.exists()


def test_a_second_command_knows_what_the_first_one_saw(store: Store) -> None:
    data = json.dumps({"beat": time.time() - 3600, "ttl_s": 0.2, "owner": OWNER}).encode()
    store.backend.create(f"leases/{NAME}/00000001.json", data)
    assert store.leased() == {NAME}
    time.sleep(0.3)
    another: Store = pickle.loads(pickle.dumps(store))
    assert another.leased() == frozenset()
    with another.lease(NAME) as lease:
        lease.check()


def test_a_process_with_a_shifted_clock_on_this_machine_is_not_robbed(store: Store, tmp_path: Path) -> None:
    """As libfaketime does it: wall clock and monotonic clock are an hour behind, the machine's uptime is not."""
    here = Here()
    shift_s = time.monotonic() / 2  # the machine may be up for less than an hour
    behind = replace(
        here,
        wall=lambda: time.time() - 3660,
        ticks=lambda: {**here.ticks(), "monotonic": time.monotonic() - shift_s},
    )
    lease = store._leases.take(NAME)
    lease._here = behind
    with lease:
        lease.beat()
        for _ in range(5):
            with pytest.raises(LeaseHeldError, match=r"two processes on .* differ by 61 min"):
                make_store(store.url).lease(NAME)
            time.sleep(0.1)
        lease.check()


def test_a_lease_names_the_job_that_its_holder_works_for(tmp_path: Path) -> None:
    url = str(make_store(str(tmp_path / "store")).url)
    with open_store(url, job="little-20261130").lease("train-a-0123456789ab"):
        with pytest.raises(LeaseHeldError, match=r"job little-20261130 holds it") as caught:
            open_store(url).lease("train-a-0123456789ab")
        assert caught.value.holder == "job little-20261130"
