"""What a local store keeps when processes race, are killed (SIGKILL) at random moments, or sleep past their lease."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stilts.errors import LeaseHeldError
from stilts.store import make_store
from tests.contracts.store_contract import KEY, fill, publish

ROOT = Path(__file__).parents[2]
PREAMBLE = """
import sys, time
from pathlib import Path
from stilts.errors import LeaseHeldError, LeaseLostError
from stilts.store import make_store
KEY, url, scratch = sys.argv[1], sys.argv[2], Path(sys.argv[3])
scratch.mkdir(exist_ok=True)
def say(word):
    print(word, flush=True)
def files(number):
    for name in "abcd":
        (scratch / name).unlink(missing_ok=True)
        (scratch / name).write_bytes(b"%d " % number * 20_000)
    return scratch
"""


@contextmanager
def process(script: str, url: str, scratch: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PREAMBLE + script, KEY, url, str(scratch)]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def hears(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def test_one_of_eight_processes_takes_a_lease_and_a_killed_one_frees_it_at_once(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    store = make_store(url)
    script = """
store = make_store(url)
while not (Path(url) / "go").exists():
    time.sleep(0.001)
try:
    lease = store.lease(KEY)
    say("won")
except LeaseHeldError:
    say("held")
sys.stdin.read()
"""
    with ExitStack() as stack:
        rivals = [stack.enter_context(process(script, url, tmp_path / "s")) for _ in range(8)]
        (Path(url) / "go").touch()
        said = [hears(rival) for rival in rivals]
        assert sorted(said) == ["held"] * 7 + ["won"]
        with pytest.raises(LeaseHeldError):
            store.lease(KEY)
        winner = rivals[said.index("won")]
        winner.send_signal(signal.SIGKILL)
        winner.wait(10)
        assert store.leased() == frozenset()
        store.lease(KEY).check()


def test_a_zombie_holds_no_lease(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    store = make_store(url)
    with process("make_store(url).lease(KEY)\nsay('won')\nsys.stdin.read()", url, tmp_path / "s") as holder:
        assert hears(holder) == "won"
        holder.send_signal(signal.SIGKILL)  # not waited for: the system keeps its entry as a zombie
        deadline = time.monotonic() + 10
        while store.leased() and time.monotonic() < deadline:
            time.sleep(0.01)
        store.lease(KEY).check()


def test_killed_publishers_leave_nothing_or_the_whole(tmp_path: Path) -> None:
    url, chance = str(tmp_path / "store"), random.Random(7)
    store = make_store(url)
    script = """
store = make_store(url)
say("ready")
for number in range(int(time.time() * 1000) % 10**9 * 1000, 10**15):
    key = f"train-x-{number}"
    with store.lease(key) as lease:
        store.publish(key, files(number), payload={}, result={"number": number}, lease=lease)
"""
    for _ in range(10):
        with process(script, url, tmp_path / "scratch") as victim:
            assert hears(victim) == "ready"
            time.sleep(chance.uniform(0, 0.12))
    done = store.done()
    assert done
    for key in done:
        number = b"%d " % store.result(key)["number"]
        assert {file.read_bytes() for file in store.fetch(key).iterdir()} == {number * 20_000}
        assert set(store.sizes(key)) == set("abcd")
    for attempt in store.orphans():
        assert attempt.key not in done
        with store.lease(attempt.key):
            store.drop_attempt(attempt)
    assert store.orphans() == [] and store.done() == done


def test_killed_trainers_leave_a_whole_checkpoint_no_older_than_the_last_one_saved(tmp_path: Path) -> None:
    url, chance = str(tmp_path / "store"), random.Random(8)
    store = make_store(url)
    script = """
store = make_store(url)
with store.lease(KEY) as lease:
    folder = store.load_progress(KEY)
    number = int((folder / "a").read_bytes().split()[0]) if folder else 0
    say(number)
    while True:
        number += 1
        store.save_progress(KEY, files(number), lease)
        say(number)
"""
    saved = 0
    for _ in range(10):
        with process(script, url, tmp_path / "scratch") as victim:
            assert int(hears(victim)) >= saved
            time.sleep(chance.uniform(0, 0.12))
            victim.kill()
            assert victim.stdout is not None
            saved = max([saved, *map(int, victim.stdout.read().split())])
        folder = store.load_progress(KEY)
        if saved:
            assert folder is not None
            found = {file.read_bytes() for file in folder.iterdir()}
            assert found in ({b"%d " % saved * 20_000}, {b"%d " % (saved + 1) * 20_000})
    assert saved


# What Python tells its audit hooks of: every moment at which the file system may change.
CHANGES = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.copyfile"}


def killing_before_change(number: int) -> Callable[[str, object], None]:
    left = itertools.count(number, -1)

    def hook(event: str, _: object) -> None:
        if event in CHANGES and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def killed_at_every_change(action: Callable[[int], None]) -> Iterator[int]:
    """Runs the action in a child that kills itself before its first change of a file, then its second, to the end."""
    for number in itertools.count():
        child = os.fork()
        if child == 0:
            sys.addaudithook(killing_before_change(number))
            action(number)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        yield number
        if os.WIFEXITED(status):
            assert number > 10  # it was killed at times
            return


def test_a_publisher_killed_at_any_change_leaves_nothing_or_the_whole(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    whole = set()
    for number in killed_at_every_change(
        lambda n: publish(store, f"train-{n}", fill(tmp_path / f"a{n}", a=f"a{n}", b=f"b{n}"))
    ):
        key = f"train-{number}"
        if store.is_done(key):
            whole.add(number)
            assert {file.name: file.read_text() for file in store.fetch(key).iterdir()} == {
                "a": f"a{number}",
                "b": f"b{number}",
            }
        publish(store, key, fill(tmp_path / "again", a="again"))  # at once: the lease of a killed process is free
        assert store.result(key) == {"number": 1, "seconds": 2.0}
    assert 0 < len(whole) < number
    assert all(int(attempt.key.removeprefix("train-")) not in whole for attempt in store.orphans())


def test_a_trainer_killed_at_any_change_leaves_the_last_checkpoint_or_the_next(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))

    def save(stage_id: str, *steps: int) -> None:
        with store.lease(stage_id) as lease:
            for step in steps:
                store.save_progress(stage_id, fill(tmp_path / "c", model=f"m{step}", state=f"s{step}"), lease)

    def prepared(number: int) -> None:
        save(f"train-{number}", 3)

    seen = set()
    save("train-0", 1, 2)
    for number in killed_at_every_change(prepared):
        folder = store.load_progress(f"train-{number}")
        assert folder is not None
        step = (folder / "state").read_text().removeprefix("s")
        assert (folder / "model").read_text() == f"m{step}"
        seen.add(step)
        save(f"train-{number}", 4)
        save(f"train-{number + 1}", 1, 2)
    assert seen == {"2", "3"}


def test_a_holder_that_slept_past_its_lease_may_not_publish(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    store = make_store(url)
    script = """
store = make_store(url, lease_ttl_s=0.5, heartbeat_s=0.1)
with store.lease(KEY) as lease:
    say("won")
    sys.stdin.readline()
    for attempt in (
        lambda: store.publish(KEY, files(1), payload={}, result={"number": 1}, lease=lease),
        lambda: store.save_progress(KEY, files(1), lease),
    ):
        try:
            attempt()
            say("done")
        except LeaseLostError:
            say("lost")
"""
    with process(script, url, tmp_path / "scratch") as sleeper:
        assert hears(sleeper) == "won"
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        with store.lease(KEY) as lease:
            sleeper.send_signal(signal.SIGCONT)
            assert sleeper.stdin is not None
            sleeper.stdin.write("\n")
            sleeper.stdin.flush()
            assert [hears(sleeper), hears(sleeper)] == ["lost", "lost"]
            sleeper.communicate()
            lease.check()
            assert not store.is_done(KEY) and store.load_progress(KEY) is None and store.orphans() == []
            (tmp_path / "mine").mkdir()
            (tmp_path / "mine" / "a").write_text("mine")
            store.publish(KEY, tmp_path / "mine", payload={}, result={"number": 2}, lease=lease)
    assert store.result(KEY) == {"number": 2}


def test_a_pid_used_again_by_another_process_frees_the_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(str(tmp_path / "store"))
    monkeypatch.setattr("stilts.store.owner._started", lambda pid: "started long ago")
    held = store.lease(KEY)
    assert store.leased() == {KEY}
    monkeypatch.undo()
    assert store.leased() == frozenset()
    store.lease(KEY).check()
    assert held.name == KEY


def test_another_machine_is_judged_by_its_heartbeat_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(str(tmp_path / "store"), lease_ttl_s=0.3)
    monkeypatch.setattr("stilts.store.owner._machine", lambda: "elsewhere")
    monkeypatch.setattr("os.getpid", lambda: 2**22 + 1)
    store.lease(KEY)
    monkeypatch.undo()
    with pytest.raises(LeaseHeldError):
        store.lease(KEY)
    time.sleep(0.35)
    store.lease(KEY).check()
