"""What a study needs of the hub, fetched from a hub that is a folder, and read where there is no hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from stilts.app import hubless
from stilts.app.fetching import ENCODER_FILES, fetch, fetch_list
from stilts.cli.main import app
from stilts.data.load import load_examples
from stilts.errors import EncoderError, InputError
from stilts.tasks.fetched import DATASET, MODEL, fetched_commit, fetched_folder
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.registry import Registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.sources import hub_commit
from stilts.tasks.task import Dataset, HubLayout, Source, SplitRef

ENCODER, COMMIT = "FacebookAI/xlm-roberta-large", "c" * 40


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A study of the hub, where nobody answers."""

    def away(repo: str, revision: str | None) -> Any:
        raise EncoderError(repo, "the hub could not be asked")

    monkeypatch.setattr(hubless, "ask_hub", away)
    monkeypatch.setattr(hubless, "hub_commit", away)
    fields = {
        "name": "large",
        "encoder": {"hub": ENCODER, "revision": COMMIT},
        "data": {"source": "hub"},
        "defaults": {"intermediate": {"steps": 3}, "target": {"steps": 3}},
        "intermediates": {"none": None, "mnli": None},
        "targets": {"xnli": {"languages": ["de", "sw"]}},
    }
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(fields))
    return str(path)


def test_the_list_names_encoder_and_datasets_without_a_hub(study: str) -> None:
    encoder, *datasets = fetch_list(study)

    assert (encoder.kind, encoder.repo, encoder.revision) == (MODEL, ENCODER, COMMIT)
    assert encoder.files == ENCODER_FILES
    by_repo = {one.repo: one for one in datasets}
    assert "nyu-mll/multi_nli" in by_repo and by_repo["nyu-mll/multi_nli"].revision is None
    assert all(one.kind == DATASET for one in datasets)
    (xnli,) = (one for one in datasets if "xnli" in one.used_for)
    assert {"*de*", "*sw*"} <= set(xnli.files) and "*fr*" not in xnli.files


def test_plan_prints_the_list(study: str) -> None:
    done = CliRunner().invoke(app, ["plan", study, "--fetch-list"], catch_exceptions=False)

    assert done.exit_code == 0
    said = " ".join(done.stdout.split())  # whatever the width
    assert f"model {ENCODER} at {COMMIT}: config.json" in said
    assert "dataset nyu-mll/multi_nli at its main branch" in said


class Hub:
    """Stands in for ``snapshot_download``: it gives a file a call, and breaks off where it is told to."""

    def __init__(self, cache: Path, breaks_at: str = "") -> None:
        self.cache, self.breaks_at, self.given = cache, breaks_at, list[str]()

    def __call__(self, repo: str, *, repo_type: str, revision: str | None, cache_dir: str, allow_patterns: Any) -> str:
        assert Path(cache_dir) == self.cache and allow_patterns
        folder = self.cache / repo_type / repo.replace("/", "--")
        if not folder.exists():
            if repo == self.breaks_at:
                raise ConnectionError("the line went dead")
            folder.mkdir(parents=True)
            self.given.append(repo)
        return str(folder)


def test_what_was_broken_off_goes_on(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos = [one.repo for one in fetch_list(study)]
    hub = Hub(tmp_path / "hub", breaks_at=repos[-1])
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)

    with pytest.raises(InputError, match="the line went dead") as error:
        fetch(study, str(hub.cache))
    assert "type the same command again" in str(error.value)
    assert hub.given == repos[:-1]

    hub.breaks_at = ""
    found = fetch(study, str(hub.cache))
    assert hub.given == repos, "each was fetched once"
    assert [one.wanted.repo for one in found] == repos and all(Path(one.folder).is_dir() for one in found)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, Path], None]:
    """A cache of the hub's layout, to which repositories are added; the hub itself is switched off."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "datasets"))

    def add(kind: str, repo: str, files: Path) -> None:
        folder = tmp_path / "hub" / f"{kind}s--{repo.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(COMMIT)
        shutil.copytree(files, folder / "snapshots" / COMMIT)

    return add


def test_without_a_hub_a_branch_stands_where_it_was_fetched(
    offline: Callable[[str, str, Path], None], tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "config.json").write_text("{}")
    offline(MODEL, "some/encoder", tmp_path / "files")
    offline(DATASET, "some/data", tmp_path / "files")

    assert fetched_commit("some/encoder", MODEL, None) == COMMIT
    assert fetched_commit("some/encoder", MODEL, "v2") is None
    assert hub_commit("some/data", None) == COMMIT
    with pytest.raises(InputError):
        hub_commit("some/other", None)
    assert fetched_folder("some/other", DATASET, COMMIT) is None


def test_without_a_hub_data_are_read_from_what_was_fetched(
    offline: Callable[[str, str, Path], None], tmp_path: Path
) -> None:
    from datasets import Dataset as Table

    (tmp_path / "files").mkdir()
    Table.from_list([{"text": "hello", "label": "yes"}]).to_parquet(str(tmp_path / "files" / "train.parquet"))
    offline(DATASET, "some/data", tmp_path / "files")
    registry = Registry()
    columns = {"text": "text", "label": "label"}
    layout = HubLayout(repo="some/data", splits={"train": "train"}, columns=columns)
    registry.register_dataset(Dataset(name="d", languages={"train": ("en",)}, hub=layout))

    (view,) = Resolver(registry, {}, source=Source.HUB).views(
        SplitRef(dataset="d", split="train"), CLASSIFICATION, ["en"]
    )

    assert [one.texts() for one in load_examples(view, {})] == [("hello",)]
