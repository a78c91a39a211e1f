"""Whatever is done to a finished store: verbs end in time with an answer or one message, and mend and run heal it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from tests.e2e.damaging import Damage, damages
from tests.e2e.finished import STUDY, copied, fill_store, finished_study
from tests.e2e.typed import Typed, typed

pytestmark = pytest.mark.slow

# 500 cases; in parts, so that each ends within the time that a test has.
PARTS, CASES = 20, 25
# Every case asks for an answer, and then one of the others.
ANSWERS = (("matrix", "--json"), ("matrix",), ("best", "--json"), ("best",))
VERBS = (
    *(("status",), ("plan", "STUDY"), ("explain",), ("explain", "mnli>xnli"), ("rescore",), ("estimates",)),
    *(("gc", "--dry-run"), ("gc",), ("gc", "--unreferenced"), ("mend", "--dry-run"), ("report", "--out", "REPORT")),
)
NAMELESS = ("gc",)


class Case:
    """A copy of the finished store beside a folder that nothing may touch, and the verbs typed there."""

    def __init__(self, folder: Path, store: Path, study: Path) -> None:
        self.folder, self.study = folder, study
        self.store = copied(store, folder / "store")
        (folder / "made").mkdir()
        victim = folder / "victim"
        (victim / "deep").mkdir(parents=True)
        (victim / "thesis.txt").write_text("three years")
        (victim / "done.json").write_text("{}")
        (victim / "deep" / "attempt-0000000000000000").write_text("mine")
        for each in (victim / "thesis.txt", victim / "deep" / "attempt-0000000000000000"):
            os.utime(each, (time.time() - 30 * 86400,) * 2)
        self._outside = self.outside()

    def outside(self) -> dict[str, object]:
        """All that lies beside the store, and the study's own folder, to the last byte."""
        roots = [self.folder / "victim", self.study.parent]
        found: dict[str, object] = {name: None for name in os.listdir(self.folder)}
        for path in (path for root in roots for path in [root, *root.rglob("*")]):
            facts = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            found[str(path)] = (facts.st_mode, facts.st_mtime_ns, facts.st_nlink, content)
        return found

    def type(self, *words: str) -> Typed:
        """What a verb says; the test fails where it ends as no verb may, or touches what is outside."""
        places = {
            "STUDY": str(self.study),
            "REPORT": str(self.folder / "made" / "report"),
        }
        verb, *rest = (places.get(word, word) for word in words)
        named = [] if verb in NAMELESS or "STUDY" in words else [STUDY if verb != "run" else str(self.study)]
        result = typed(verb, *named, *rest, "--store", self.store)
        assert not result.flaw(), result.flaw()
        assert self.outside() == self._outside, f"{result.words} touched what is not the store's"
        return result


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's file."""
    return finished_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def stores(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store with all weights, and one from which those that nothing needs were dropped."""
    whole = tmp_path_factory.mktemp("stores") / "whole"
    assert not fill_store(study, whole).failed
    tidy = copied(whole, whole.parent / "tidy")
    fill_store(study, tidy, keep_weights=False)
    return whole, tidy


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    """Two processes: verbs are typed in their main threads, where an alarm ends what hangs."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("part", range(0, PARTS, 2))
def test_a_damaged_store_answers_or_says_why_and_heals(
    part: int, stores: tuple[Path, Path], study: Path, workers: ProcessPoolExecutor
) -> None:
    halves = [workers.submit(heals, half, stores, study) for half in (part, part + 1)]
    assert [half.result() for half in halves] == [CASES, CASES]


def heals(part: int, stores: tuple[Path, Path], study: Path) -> int:
    """Tries the cases of one part, each another damage; how many."""
    answer = typed("matrix", STUDY, "--json", "--store", stores[0]).out
    seen: set[str] = set()

    @seed(part)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        damage=damages(stores[0]).map(lambda one: (0, one)) | damages(stores[1]).map(lambda one: (1, one)),
        verbs=st.tuples(st.sampled_from(ANSWERS), st.sampled_from(VERBS)),
    )
    def tried(damage: tuple[int, Damage], verbs: tuple[tuple[str, ...], ...]) -> None:
        which, done = damage
        assume(repr(damage) not in seen)  # hypothesis likes to try one again
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            check(Case(Path(folder).resolve(), stores[which], study), done, verbs, answer)
        seen.add(repr(damage))  # a case that failed is tried again, to be shown

    with tempfile.TemporaryDirectory(prefix="fuzz-") as elsewhere:
        os.chdir(elsewhere)
        tried()
        assert os.listdir(elsewhere) == [], "something was written into the working folder"
        os.chdir("/")
    return len(seen)


def check(case: Case, damage: Damage, verbs: Sequence[tuple[str, ...]], answer: str) -> None:
    """Everything that is asked of one case."""
    damage.do(case.store)
    for words in verbs:
        case.type(*words)
    mended = case.type("mend", "--json")
    ran = case.type("run", "--local", "--tracking-uri", "none", "--threads", "1", "--keep-weights")
    if damage.forges and "newer than this stilts" in mended.err + ran.err:
        return  # it says so itself, under its seal: then it is nobody's here to mend
    assert mended.status == ran.status == 0, (mended, ran)
    assert case.type("matrix", "--json").out == answer
