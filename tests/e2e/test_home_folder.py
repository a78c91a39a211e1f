"""No verb, with any place in or above a home folder for a store, changes a byte of it; what only reads writes nothing.

Everything runs in this process. A run with a new or empty folder is the one thing that makes a store.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stilts.store import make_store
from stilts.store.layout import LAYOUT
from stilts.store.local import LocalBackend
from tests.e2e.home_folder import (
    EMPTY,
    FILES,
    as_of_old,
    commands,
    ended,
    make_home,
    messages,
    snapshot,
    takes_a_store,
    verbs,
)
from tests.e2e.studies import tiny_study

STEPS = {"train": {"steps": 2}}
READING = [
    "matrix",
    "best",
    "status",
    "plan",
    "explain",
    "report",
    "export",
    "export --submission",
    "rescore",
    "estimates",
    "replay",
    "gc --dry-run",
    "mend --dry-run",
    "ui",
    "validate",
    "profile",
    "tasks",
    "score",
]
# These take seconds.
DRAWING = ("report", "export", "export --submission", "score", "ui", "doctor", "profile")
# What changes a place, all of it through the store's backend.
WRITERS = ("create", "replace", "delete", "delete_tree", "move", "put")
VERBS = list(verbs("study", Path("out")))
# What submit names as a store the cluster's nodes open, and nobody here.
# What asks a cluster's nodes for a store opens none here.
OF_STORES = [verb for verb in VERBS if takes_a_store(verb) and verb not in ("submit", "doctor")]
FUZZED = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)


pytestmark = pytest.mark.usefixtures("own_settings")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the home, and what lies around it: other homes, links to it."""
    world = tmp_path_factory.mktemp("world")
    make_home(world / "users" / "me")
    (world / "tmp").mkdir()
    (world / "tmp" / "others.txt").write_text("of others")
    (world / "to_home").symlink_to(world / "users" / "me")
    (world / "to_tmp").symlink_to(world / "users" / "me" / "tmp")
    return world


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_study(
        tmp_path_factory.mktemp("study"),
        intermediates={"none": None, "mnli": STEPS},
        targets={"xnli": {**STEPS, "languages": ["en", "qaa"]}},
    )


@pytest.fixture(scope="module")
def finished(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished store of the study."""
    folder = tmp_path_factory.mktemp("finished") / "store"
    assert ended(*verbs(study, folder)["run"], "--store", folder)[0] == 0
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def places(home: Path) -> list[str]:
    """Ways to name the home, what is in it and what it is in, as one may type them there."""
    inside = sorted({"/".join(parts[:depth]) for parts in map(_parts, FILES) for depth in range(1, len(parts) + 1)})
    links = ["me", "me/me/tmp", "pictures", "nowhere", "circle", "circle/x", "desk", "desk/tmp", "pipe", "pipe/x"]
    names = [*inside, *links]
    absolute = [f"{home}/{name}" for name in names]
    above = [str(home), f"{home}/", str(home.parent), str(home.parent.parent), f"{home}/.", f"{home}//tmp"]
    winding = [f"{home}/files/../tmp", f"{home}/tmp/../../me", f"{home}/pictures/..", "./files/../records", "tmp/.."]
    links_to_it = [str(home.parent.parent / name) for name in ("to_home", "to_tmp", "to_home/files", "to_tmp/keep")]
    urls = [f"file://{quote(place)}" for place in (*absolute[:12], str(home))] + [f"local://{home}/files", "file://"]
    return [*names, *absolute, *above, *winding, *links_to_it, *urls, ".", "..", "./", "~", "~/tmp", "~/files/photos"]


@st.composite
def walks(draw: st.DrawFn, world: Path) -> str:
    """A way from the home to something that is there, through folders, links and back up, as a path or a URL."""
    at = str(world / "users" / "me")
    for _ in range(draw(st.integers(0, 6))):
        names = sorted(set(os.listdir(at)) - set(EMPTY)) if os.path.isdir(at) else []
        if os.path.realpath(at) != os.path.realpath(world):
            names.append("..")
        at = f"{at}/{draw(st.sampled_from([*names, '.', '']))}"
    return draw(st.sampled_from([at, f"file://{quote(at)}", os.path.relpath(at, world / "users" / "me")]))


def _parts(name: str) -> list[str]:
    return name.split("/")


def test_every_verb_is_tried() -> None:
    assert {verb.partition(" ")[0] for verb in VERBS} == set(commands())
    assert set(OF_STORES) >= {"run", "gc", "gc --unreferenced", "mend", "track"}


def refuses(home: Path, study: Path, out: Path, verb: str, place: str, *, by_name: bool) -> None:
    """The verb ends with one message that names what lies there, and the whole world is as it was."""
    words = verbs(study, out)[verb]
    given = ["--store", place] if by_name else []
    env = {"HOME": str(home), **({} if by_name else {"STILTS_STORE": place})}
    before = snapshot(home.parent.parent)
    with chdir(home):
        status, said, err = ended(*words, *given, env=env)
    assert snapshot(home.parent.parent) == before, (verb, place)
    assert status == 2 and "Traceback" not in said + err and len(messages(err)) == 1, (verb, place, said, err)
    assert re.search(r'in it are "|it has no LAYOUT|other things lie there: "|it is a |no folder', messages(err)[0]), (
        err
    )
    assert not list(out.iterdir()), verb


@pytest.mark.parametrize("verb", OF_STORES)
def test_a_home_is_no_store(verb: str, world: Path, study: Path, out: Path) -> None:
    home = world / "users" / "me"
    for place, by_name in ((str(home), True), (".", False), ("~/files", True)):
        refuses(home, study, out, verb, place, by_name=by_name)


@pytest.mark.parametrize("verb", ["run", "plan", "gc", "best"])
def test_a_way_through_a_folder_that_is_not_there_leads_to_no_store(
    verb: str, world: Path, study: Path, out: Path
) -> None:
    home = world / "users" / "me"
    refuses(home, study, out, verb, str(home / "nowhere" / ".."), by_name=True)


@FUZZED
@given(data=st.data(), verb=st.sampled_from(OF_STORES), by_name=st.booleans())
def test_nothing_in_or_above_a_home_is_a_store(
    world: Path, study: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, verb: str, by_name: bool
) -> None:
    home = world / "users" / "me"
    place = data.draw(st.sampled_from(places(home)) | walks(world))
    refuses(home, study, tmp_path_factory.mktemp("out"), verb, place, by_name=by_name)


@pytest.mark.slow
@pytest.mark.parametrize("verb", OF_STORES)
def test_no_place_in_or_above_a_home_is_a_store(verb: str, world: Path, study: Path, out: Path) -> None:
    home = world / "users" / "me"
    for place in places(home):
        refuses(home, study, out, verb, place, by_name=True)


@pytest.mark.parametrize("verb", [verb for verb in OF_STORES if verb.startswith(("run", "gc", "mend", "track"))])
def test_links_and_files_with_the_names_of_a_stores_folders_stay(
    verb: str, tmp_path: Path, study: Path, out: Path
) -> None:
    home = tmp_path / "users" / "me"
    (home / "disk").mkdir(parents=True)
    for name in ("files", "tmp", "cache", "damaged"):
        (home / name).symlink_to("disk")
    (home / "records").write_text("my records")
    (tmp_path / "out").rename(tmp_path.parent / f"{tmp_path.name}-out")
    refuses(home, study, tmp_path.parent / f"{tmp_path.name}-out", verb, str(home), by_name=True)


@pytest.mark.parametrize("inside", ["folder", "long file", "other file", "link"])
def test_a_tmp_alone_whose_names_look_like_ours_is_no_empty_place(
    inside: str, tmp_path: Path, study: Path, out: Path
) -> None:
    place = tmp_path / "home" / "tmp" / ("0" * 32)
    place.parent.mkdir(parents=True)
    if inside == "folder":
        place.mkdir()
        (place / "thesis.txt").write_text("a thesis")
    elif inside == "link":
        place.symlink_to(out)
    else:
        place.write_text("a thesis" if inside == "other file" else '{"sha256":"' + "0" * 600)
    before = snapshot(tmp_path / "home")
    status, _, err = ended(*verbs(study, out)["run"], "--store", tmp_path / "home")
    assert status == 2 and 'other things lie there: "tmp"' in err
    assert snapshot(tmp_path / "home") == before


def test_what_a_killed_making_left_is_an_empty_place(tmp_path: Path) -> None:
    (tmp_path / "store" / "tmp").mkdir(parents=True)
    for name, torn in (("0", ""), ("1", '{"sha'), ("2", '{"sha256":"0123')):
        (tmp_path / "store" / "tmp" / (name * 32)).write_text(torn)
    assert make_store(str(tmp_path / "store")).strays() == []


@pytest.mark.parametrize(("place", "by_name"), [("empty", True), ("photos/new/store", True), ("new\nline", False)])
def test_a_run_makes_a_store_in_a_new_or_empty_folder_and_changes_nothing_else(
    place: str, by_name: bool, tmp_path: Path, study: Path, out: Path
) -> None:
    home = make_home(tmp_path / "users" / "me")
    before = snapshot(home)
    given, env = (["--store", place], {}) if by_name else ([], {"STILTS_STORE": place})
    with chdir(home):
        status, said, err = ended(*verbs(study, out)["run"], *given, env={"HOME": str(home), **env})
        assert status == 0, said + err
        made = snapshot(home)
        assert ended(*verbs(study, out)["gc"], *given, env={"HOME": str(home), **env})[0] == 0
    top = home / place.partition("/")[0] if place != "photos/new/store" else home / "photos" / "new"
    for after in (made, snapshot(home)):
        others = {path: facts for path, facts in after.items() if not Path(path).is_relative_to(top)}
        changed = {path for path in before.keys() | others.keys() if before.get(path) != others.get(path)}
        assert changed <= {str(top.parent), str(top)}  # the folder that has a new one in it
    assert (home / place / LAYOUT).is_file()


@pytest.mark.parametrize("verb", [verb for verb in OF_STORES if verb != "run"])
def test_a_place_that_is_new_or_empty_stays_so(verb: str, world: Path, study: Path, out: Path) -> None:
    home = world / "users" / "me"
    before = snapshot(world)
    for place in ("empty", "photos/new"):
        with chdir(home):
            status, said, err = ended(*verbs(study, out)[verb], "--store", place)
        assert snapshot(world) == before
        assert (status, len(messages(err))) == ((0, 0) if verb in ("plan", "validate", "profile") else (2, 1)), (
            said + err
        )


@pytest.mark.parametrize("verb", OF_STORES)
@pytest.mark.parametrize("place", ["/", "file:///"])
def test_the_root_of_all_is_no_store(verb: str, place: str, study: Path, out: Path) -> None:
    """What would write is not let: were this to fail, it is not to cost anybody's files."""
    with watched_writers() as asked:
        status, said, err = ended(*verbs(study, out)[verb], "--store", place)
    assert not asked and status == 2 and len(messages(err)) == 1, said + err
    assert 'in it are "' in err or 'other things lie there: "' in err


@contextmanager
def watched_writers() -> Iterator[list[str]]:
    """Backends that note what they are asked to change, and change nothing."""
    asked: list[str] = []

    def refuse(name: str) -> object:
        def writer(self: LocalBackend, *given: object, **named: object) -> bool:
            asked.append(name)
            raise AssertionError(f"{name}{given}")

        return writer

    with mock.patch.multiple(LocalBackend, **{name: refuse(name) for name in WRITERS}):
        yield asked


def reads(verb: str, study: Path, store: Path, out: Path) -> None:
    """The verb gives an answer from the finished store."""
    words = verbs(study, out)[verb]
    if verb == "score":
        words = ["score", out / "predictions", out / "labels", "--tasks", "xnli"]
        assert ended(*verbs(study, out)["export --submission"], "--labels", out / "labels", "--store", store)[0] == 0
    given = ["--store", store] if takes_a_store(verb) else []
    status, said, err = ended(*words, *given, env={"STILTS_STORE": str(store)})
    assert "Traceback" not in said + err and (status == 0 or (verb in MAY_REFUSE and status == 2)), (verb, said, err)


# Toy data are of no benchmark; one seed gives replay and estimates nothing to split.
MAY_REFUSE = ("replay", "estimates", "score")


@pytest.mark.parametrize("layout", [1, 2])
@pytest.mark.parametrize("verbs_of", ["quick", pytest.param("all", marks=pytest.mark.slow)])
def test_what_reads_writes_nothing(
    verbs_of: str, layout: int, finished: Path, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    shutil.copytree(finished, store)
    if layout == 1:
        as_of_old(store)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    before = snapshot(store, tmp_path / "work", study.parent)
    for verb in READING if verbs_of == "all" else [verb for verb in READING if verb not in DRAWING]:
        (tmp_path / verb.replace(" ", "")).mkdir()
        reads(verb, study, store, tmp_path / verb.replace(" ", ""))
        assert snapshot(store, tmp_path / "work", study.parent) == before, verb
