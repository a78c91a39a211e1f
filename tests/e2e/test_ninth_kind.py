"""A kind of task from outside the package, in one file pair: declared, run, scored, scored again and exported.

``tests/ninth_kind/`` holds the pair, as a package would; its entry point finds it, and no file of stilts knows it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.studies import ROOT, environment, opened, stilts, tiny_study

PAIR = ROOT / "tests" / "ninth_kind"
GOOD, BAD, OTHER = "see find hold".split(), "sell king queen".split(), "dog cat horse bird doctor farmer".split()
TASKS = """
datasets:
  stars:
    languages: {train: [en], test: [en, qaa]}
    files:
      reader: graded_tsv
      splits: {train: "stars/train.{lang}.tsv", test: "stars/test.{lang}.tsv"}
    licence: none
    domain: toy
tasks:
  stars:
    kind: ordinal_rating
    metric: quadratic_kappa
    labels: ["1", "2", "3", "4", "5"]
    train: {dataset: stars, split: train}
    test: {dataset: stars, split: test}
"""


def installed(folder: Path) -> dict[str, str]:
    """The pair in a folder as pip leaves a package there, and an environment in which Python finds it."""
    site = folder / "site"
    about = site / "ordinal_rating-1.0.dist-info"
    about.mkdir(parents=True)
    for file in sorted(PAIR.glob("*.py")):
        shutil.copy(file, site)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ordinal-rating\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[stilts.kinds]\nordinal_rating = ordinal_rating:ORDINAL_RATING\n")
    return environment(PYTHONPATH=str(site))


def write_data(folder: Path) -> None:
    """Texts whose grade is the number of good words in them, plus one."""
    (folder / "stars").mkdir()
    rng = random.Random(0)
    for name, size in (("train.en", 240), ("test.en", 40), ("test.qaa", 40)):
        lines = []
        for _ in range(size):
            good = rng.randrange(5)
            words = rng.choices(GOOD, k=good) + rng.choices(BAD, k=4 - good) + rng.choices(OTHER, k=3)
            rng.shuffle(words)
            lines.append(f"{' '.join(words)}\t{good + 1}\n")
        (folder / "stars" / f"{name}.tsv").write_text("".join(lines))


class Ninth:
    """A folder with the study of the ninth kind, and its verbs, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.env = folder, installed(folder)
        write_data(folder)
        (folder / "tasks.yaml").write_text(TASKS)
        tiny_study(
            folder,
            name="ninth",
            tasks="tasks.yaml",
            data={"source": "toy", "root": ".", "sources": {"stars": "files"}},
            intermediates={"none": None, "mnli": None},
            targets={"stars": {"languages": ["en", "qaa"]}},
            defaults={
                "intermediate": {"steps": 2, "learning_rate": 1e-3, "limit": 16},
                "target": {"steps": 150, "learning_rate": 3e-3},
                "encoding": {"max_length": 32, "batch_size": 16, "layer": 1},
                "kinds": {"ordinal_rating": {"max_length": 24}},
            },
        )

    def said(self, *words: object, status: int = 0) -> str:
        """What a verb prints; it must end with the status."""
        done = stilts(*words, cwd=self.folder, env=self.env)
        assert done.returncode == status, (words, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def value(self, *words: object) -> Any:
        """What a verb prints as JSON."""
        return json.loads(self.said(*words, "--json"))


@pytest.fixture(scope="module")
def ninth(tmp_path_factory: pytest.TempPathFactory) -> Ninth:
    return Ninth(tmp_path_factory.mktemp("ninth"))


def test_no_file_of_the_package_knows_the_kind() -> None:
    assert len(list(PAIR.glob("*.py"))) == 2
    for file in (ROOT / "stilts").rglob("*.py"):
        assert "ordinal_rating" not in file.read_text(encoding="utf-8"), file


def test_its_task_is_validated_and_shown(ninth: Ninth) -> None:
    value = ninth.value("validate", "ninth.yaml")
    shown = [line["text"] for line in value["decoded"] if line["kind"] == "ordinal_rating"]
    assert len(shown) == 1 and all(" of 1 to 5" in text for text in shown)
    assert {line["use"] for line in value["views"] if line["of"] == "stars"} == {"train", "select", "report"}


def test_what_it_cannot_be_is_told_by_the_kind(ninth: Ninth) -> None:
    path = ninth.folder / "tasks.yaml"
    for right, wrong, told in (
        ('"1", "2", "3", "4", "5"', "bad, fair, good", "whole numbers in a row"),
        ("quadratic_kappa", "accuracy", "Allowed: quadratic_kappa"),
        ("ordinal_rating", "ordinal", "known: classification"),
        ("graded_tsv", "text_tsv", "makes classification examples"),
    ):
        path.write_text(TASKS.replace(right, wrong))
        assert told in " ".join(ninth.said("validate", "ninth.yaml", status=2).split()), wrong
    path.write_text(TASKS)


def test_without_its_package_the_kind_is_unknown(ninth: Ninth) -> None:
    done = stilts("validate", "ninth.yaml", cwd=ninth.folder)
    assert done.returncode == 2 and 'no task kind "ordinal_rating"' in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_it_is_trained_scored_and_scored_again(ninth: Ninth) -> None:
    where = ("--store", "store")
    ninth.said("run", "ninth.yaml", "--local", "--keep-weights", *where, "--tracking-uri", "none")
    cells = {(line["row"], line["column"]): line for line in ninth.value("matrix", "ninth", *where)["cells"]}
    assert set(cells) == {("none", "stars"), ("mnli", "stars")}
    store = opened(ninth.folder / "store")
    results = [store.result(key) for key in store.done() if "/report." in key]
    assert len(results) == 4 and {result["metric"] for result in results} == {"quadratic_kappa"}
    # Grades by counting words: a model that learned nothing has a kappa of 0.
    assert max(float(str(result["score"])) for result in results) > 50
    value = ninth.value("rescore", "ninth", *where)
    assert value["agrees"] and value["from_predictions"] == value["evaluations"] == 6
    assert [one["target"] for one in ninth.value("best", "ninth", *where)["answers"]] == ["stars"]
    ninth.said("mend", "ninth", "--dry-run", *where)


@pytest.mark.slow
def test_its_model_is_one_of_plain_transformers(ninth: Ninth) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    store = ("--store", "store")
    ninth.said("run", "ninth.yaml", "--local", "--keep-weights", *store, "--tracking-uri", "none")
    ninth.said("export", "ninth", "--target", "stars", "--row", "none", "--model", "plain", *store)
    folder = ninth.folder / "plain"
    assert "how many grades" in (folder / "README.md").read_text()
    tokenizer, model = (each.from_pretrained(folder) for each in (AutoTokenizer, AutoModelForSequenceClassification))
    assert model.config.id2label == {number: f"above {number + 1}" for number in range(4)}
    lines = (ninth.folder / "stars" / "test.en.tsv").read_text().splitlines()
    batch = tokenizer([line.split("\t")[0] for line in lines], return_tensors="pt", padding=True)
    with torch.inference_mode():
        said = (model.eval()(**batch).logits > 0).sum(-1) + 1
    stage = next(key for key in opened(ninth.folder / "store").done() if "/report.en" in key and "stars" in key)
    assert stage and len(set(said.tolist())) > 2


@pytest.mark.slow
def test_ray_tune_runs_it_as_any_other(ninth: Ninth) -> None:
    ninth.said("run", "ninth.yaml", "--store", "by_ray", "--tracking-uri", "none")
    store = opened(ninth.folder / "by_ray")
    assert sum("/report." in key for key in store.done()) == 4


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=30))
def test_its_metric_is_cohens_by_the_confusion_matrix(pairs: Sequence[tuple[int, int]]) -> None:
    from tests.ninth_kind.ordinal_rating import KAPPA, kappa_rows

    gold, said = zip(*pairs, strict=True)
    sums = dict(zip(KAPPA.columns, kappa_rows(gold, said).sum(axis=0), strict=True))
    counts = np.zeros((6, 6))
    np.add.at(counts, (gold, said), 1)
    weights = (np.arange(6)[:, None] - np.arange(6)[None, :]) ** 2
    expected = np.outer(counts.sum(1), counts.sum(0)) / len(pairs)
    wanted = max(0.0, 1 - (weights * counts).sum() / (weights * expected).sum()) if (weights * expected).any() else 0.0
    assert KAPPA.score(sums) == pytest.approx(100 * wanted)
