from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.errors import DataError, InputError, SelectionError, UnknownNameError
from stilts.fingerprint import digest
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.sources import hub_commit
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Part, Source, SplitRef, Task
from stilts.tasks.toy import MIXED, TOY_LANGUAGES
from stilts.tasks.view import DataView

TEST = SplitRef(dataset="d", split="test")
LINES = "a\tb\tx\n"


def registry(**task: object) -> Registry:
    made = Registry()
    made.register_dataset(
        Dataset(
            name="d",
            is_release=True,
            languages={"train": ("en",), "dev": ("en", "de"), "test": ("en", "de", "fr", "sw")},
            files=FilesLayout(
                reader="pair_tsv",
                splits={"train": "{lang}.train", "dev": "{lang}.dev", "test": "{lang}.1|{lang}.2"},
            ),
            hub=HubLayout(
                repo="a/d", splits={"test": "test"}, columns={"text": "t"}, config="{code}", codes={"de": "deu"}
            ),
        )
    )
    full = Task(
        name="t",
        kind=CLASSIFICATION,
        metric="accuracy",
        labels=("x", "y"),
        train=SplitRef(dataset="d", split="train"),
        dev=SplitRef(dataset="d", split="dev"),
        test=TEST,
    )
    made.register_task(replace(full, **task))  # type: ignore[arg-type]
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for code in ("en", "de", "fr"):
        for end in ("dev", "1", "2"):
            (tmp_path / f"{code}.{end}").write_text(f"{code}{end}\t{LINES}")
    (tmp_path / "en.train").write_text(LINES)
    return tmp_path


def pins(views: tuple[DataView, ...]) -> list[str]:
    return [digest(view.payload()) for view in views]


def test_files_are_pinned_by_their_bytes_in_a_stated_order(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    resolver = Resolver(registry(), {"data": folder})
    view = resolver.views(TEST, CLASSIFICATION, ["de"])[0]
    assert view.location == {"root": "data", "paths": ["de.1", "de.2"]} and view.fingerprint.startswith("sha256:")
    elsewhere = tmp_path_factory.mktemp("copy")
    for path in folder.iterdir():
        (elsewhere / path.name).write_bytes(path.read_bytes())
    again = Resolver(registry(), {"data": elsewhere}).views(TEST, CLASSIFICATION, ["de"])[0]
    assert again.payload() == view.payload()
    one, two = elsewhere / "de.1", elsewhere / "de.2"
    swapped = one.read_bytes(), two.read_bytes()
    one.write_bytes(swapped[1]), two.write_bytes(swapped[0])
    changed = Resolver(registry(), {"data": elsewhere}).views(TEST, CLASSIFICATION, ["de"])[0]
    assert changed.fingerprint != view.fingerprint


def test_what_is_missing_is_named_with_what_is_there(folder: Path) -> None:
    resolver = Resolver(registry(), {"data": folder})
    assert resolver.available_languages(TEST) == ("en", "de", "fr")
    with pytest.raises(DataError, match=r"sw\.1: no such file.*Languages there: en, de, fr"):
        resolver.views(TEST, CLASSIFICATION, ["sw"])
    with pytest.raises(UnknownNameError, match='language "dee"'):
        resolver.views(TEST, CLASSIFICATION, ["dee"])
    with pytest.raises(DataError, match="no folder of that name"):
        Resolver(registry(), {"text": folder}).views(TEST, CLASSIFICATION, ["de"])
    with pytest.raises(DataError, match="no such folder"):
        Resolver(registry(), {"data": folder / "none"}).views(TEST, CLASSIFICATION, ["de"])
    with pytest.raises(InputError, match="not declared for that source"):
        Resolver(registry(), {}, source=Source.TOY).views(TEST, CLASSIFICATION, ["en"])


def test_the_hub_is_asked_once_and_pinned(folder: Path) -> None:
    asked: list[str] = []

    def commit(repo: str, revision: str | None) -> str:
        asked.append(repo)
        return "c" * 40

    resolver = Resolver(registry(), {}, source=Source.HUB, resolve_commit=commit)
    assert resolver.available_languages(TEST) == ("de",)
    view = (resolver.views(TEST, CLASSIFICATION, ["de"]) * 2)[0]
    resolver.views(TEST, CLASSIFICATION, ["de"])
    assert asked == ["a/d"]
    assert view.fingerprint == f"hub:a/d@{'c' * 40}/deu/test" and view.location["revision"] == "c" * 40
    with pytest.raises(UnknownNameError):
        resolver.views(TEST, CLASSIFICATION, ["fr"])


def test_offline_the_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("offline")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", fail)
    with pytest.raises(InputError, match="Connect to the hub"):
        hub_commit("a/d", None)
    assert hub_commit("a/d", "0" * 40) == "0" * 40


def test_sources_may_differ_by_dataset(folder: Path) -> None:
    resolver = Resolver(default_registry(), {}, overrides={"xnli": Source.TOY})
    assert resolver.source_of("xnli") is Source.TOY and resolver.source_of("multinli") is Source.FILES
    view = resolver.views(SplitRef(dataset="xnli", split="test"), CLASSIFICATION, [TOY_LANGUAGES[1]])[0]
    assert view.fingerprint.startswith("toy:nli/") and view.location == {}


def test_english_dev_chooses_by_english_and_reports_everything(folder: Path) -> None:
    resolver = Resolver(registry(), {"data": folder})
    views = resolver.target_views(resolver.registry.task("t"), languages=["de", "fr"], select_limit=5)
    assert [view.language for view in views.select] == ["en"] and views.select[0].limit == 5
    assert [(view.language, view.part) for view in views.report] == [("de", Part.ALL), ("fr", Part.ALL)]
    assert [view.language for view in views.train] == ["en"] and views.train[0].exclude == ()


def test_target_dev_takes_official_dev_sets_or_halves(folder: Path) -> None:
    resolver = Resolver(registry(), {"data": folder})
    task = resolver.registry.task("t")
    official = resolver.target_views(task, languages=["de"], selection="target_dev")
    assert [(view.split, view.part) for view in official.select] == [("dev", Part.ALL)]
    assert official.report[0].part is Part.ALL
    (folder / "fr.dev").unlink()
    halves = resolver.target_views(task, languages=["de", "fr"], selection="target_dev")
    assert {(view.split, view.part) for view in halves.select} == {("test", Part.HALF_SELECT)}
    assert {(view.split, view.part) for view in halves.report} == {("test", Part.HALF_REPORT)}
    with pytest.raises(SelectionError, match="english_dev, target_dev"):
        resolver.target_views(task, languages=["de"], selection="dev")


def test_retrieval_has_nothing_to_choose_by_in_english() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    task = resolver.registry.task("tatoeba")
    english = resolver.target_views(task, languages=TOY_LANGUAGES[1:])
    assert english.train == () and english.select == () and len(english.report) == 4
    halves = resolver.target_views(task, languages=TOY_LANGUAGES[1:], selection="target_dev")
    assert {view.part for view in halves.select} == {Part.HALF_SELECT}


def test_a_threshold_is_chosen_on_dev_though_nothing_else_is() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    task = resolver.registry.task("bucc2018")
    english = resolver.target_views(task, languages=("qaa", "qab"))
    assert english.select == () and [view.split for view in english.calibration] == ["dev", "dev"]
    assert [view.language for view in english.calibration] == ["qaa", "qab"]
    by_dev = resolver.target_views(task, languages=("qaa", "qab"), selection="target_dev")
    assert by_dev.select == by_dev.calibration == english.calibration and by_dev.report == english.report


def test_a_pool_is_of_the_languages_asked_for_or_mixed() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    lareqa, mewslix = (resolver.registry.task(name) for name in ("lareqa", "mewslix"))
    views = resolver.target_views(lareqa, languages=("qaa", "qab"))
    assert [(view.dataset, view.language) for view in views.pool] == [
        ("lareqa_sentences", "qaa"),
        ("lareqa_sentences", "qab"),
    ]
    assert [view.language for view in resolver.target_views(mewslix, languages=("qaa",)).pool] == [MIXED]
    assert views.select[0].dataset == "squad_sentences" and views.calibration == ()


def test_a_new_language_leaves_the_training_data_as_they_are(folder: Path) -> None:
    resolver = Resolver(registry(on_overlap="exclude"), {"data": folder})
    task = resolver.registry.task("t")
    one = resolver.target_views(task, languages=["de"])
    two = resolver.target_views(task, languages=["de", "fr"], selection="target_dev")
    assert pins(one.train) == pins(two.train)
    assert [view.language for view in one.train[0].exclude] == ["en", "en", "de", "fr"]
    assert [view.split for view in one.select[0].exclude] == ["test"] * 3


def test_without_dev_data_a_tenth_of_english_train_chooses(folder: Path) -> None:
    for dev in (None, TEST):
        resolver = Resolver(registry(dev=dev), {"data": folder})
        task = resolver.registry.task("t")
        views = resolver.target_views(task, languages=["de"])
        assert (views.train[0].part, views.select[0].part) == (Part.REST, Part.TENTH)
        assert (views.select[0].split, views.report[0].part) == ("train", Part.ALL)
        train, select = resolver.intermediate_views(task)
        assert pins(train) == pins(views.train) and pins(select) == pins(views.select)


def test_an_intermediate_trains_on_what_the_target_of_its_dataset_trains_on() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    for name in ("udpos", "panx"):
        task = resolver.registry.task(name)
        train, select = resolver.intermediate_views(task, train_limit=7, select_limit=3)
        target = resolver.target_views(task, languages=["qaa"], train_limit=7, select_limit=3)
        assert pins(train) == pins(target.train) and pins(select) == pins(target.select)


def test_masked_lm_trains_on_every_language() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    train, select = resolver.intermediate_views(resolver.registry.task("plain"))
    assert tuple(view.language for view in train) == TOY_LANGUAGES and select == ()
    one, _ = resolver.intermediate_views(resolver.registry.task("plain"), languages=["qab"])
    assert [view.language for view in one] == ["qab"]


def test_uses_that_a_task_lacks_are_input_errors() -> None:
    resolver = Resolver(default_registry(), {}, source=Source.TOY)
    with pytest.raises(InputError, match="no test split"):
        resolver.target_views(resolver.registry.task("mnli"), languages=["en"])
    with pytest.raises(InputError, match="no training data"):
        resolver.intermediate_views(resolver.registry.task("tatoeba"))
