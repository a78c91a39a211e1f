"""docs/add_a_task.md as a user follows it: its YAML beside a study, files of one's own, and only the command line."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import pytest

from tests.e2e.studies import ROOT, opened, stilts, tiny_study

PAGE = ROOT / "docs" / "add_a_task.md"
WORDS = "dog cat horse bird king queen doctor farmer see hold find sell red blue green white".split()


def blocks() -> dict[str, str]:
    """The page's YAML, by the name in its first line."""
    found = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return dict(found)


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=8))


def write_data(folder: Path) -> None:
    """Files that the page's datasets name, in its formats."""
    rng = random.Random(0)
    for name in ("reviews", "likeness", "topics"):
        (folder / name).mkdir()
    for split, languages, size in (("train", ("en",), 60), ("test", ("en", "de", "sw"), 12)):
        for code in languages:
            lines = [f"{sentence(rng)}\t{rng.choice(['negative', 'positive'])}\n" for _ in range(size)]
            (folder / "reviews" / f"{split}-{code}.tsv").write_text("".join(lines))
            rated = [f"{sentence(rng)}\t{sentence(rng)}\t{rng.uniform(0, 5):.2f}\n" for _ in range(size)]
            (folder / "likeness" / f"{split}.{code}.tsv").write_text("one\tother\tscore\n" + "".join(rated))
        rows = [
            {
                "id": f"{split}{number}",
                "text": {code: sentence(rng) for code in languages},
                "topics": rng.sample(["sport", "law", "science"], k=rng.randint(1, 2)),
            }
            for number in range(size)
        ]
        (folder / "topics" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    pages = blocks()
    assert "tasks: my_tasks.yaml" in pages["my_study.yaml"]
    first, more = pages["my_tasks.yaml"], pages["more_tasks.yaml"]
    both = first.replace("tasks:\n", more.split("tasks:\n")[0].removeprefix("datasets:\n") + "tasks:\n")
    (folder / "my_tasks.yaml").write_text(both + more.split("tasks:\n")[1])
    write_data(folder)
    targets = {"reviews": None, "likeness": None, "topics": None}
    return tiny_study(
        folder,
        name="own",
        tasks="my_tasks.yaml",
        data={"source": "files", "root": "."},
        intermediates={"none": None},
        targets=targets,
    )


def test_a_task_of_ones_own_is_validated_and_shown(study: Path) -> None:
    done = stilts("validate", study.name, "--json", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert set(value["truncated"]) == {"reviews", "likeness", "topics"}
    for kind in ("classification", "regression", "multi_label"):
        shown = [line["text"] for line in value["decoded"] if line["kind"] == kind]
        assert len(shown) == 1 and all(" -> " in text for text in shown)
    assert {line["language"] for line in value["views"] if line["of"] == "reviews"} == {"en", "de", "sw"}


def test_tags_of_packed_files_with_comments_are_read_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "tags.yaml").write_text(blocks()["tag_tasks.yaml"])
    (tmp_path / "cities").mkdir()
    for name, size in (("eng.train", 60), ("eng.test", 12), ("deu.test", 12)):
        rows = (f"# id {number}\n{name}{number} NN I-CITY\nis VB O\n\n" for number in range(size))
        (tmp_path / "cities" / f"{name}.conll.gz").write_bytes(gzip.compress("".join(rows).encode()))
    path = tiny_study(
        tmp_path,
        tasks="tags.yaml",
        data={"source": "files", "root": "."},
        intermediates={"none": None},
        targets={"cities": None},
    )
    done = stilts("validate", path.name, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert {line["language"] for line in value["views"]} == {"en", "de"}
    assert all("/B-LOC" in line["text"] and "id" not in line["text"].split() for line in value["decoded"])
    (tmp_path / "cities" / "deu.test.conll.gz").unlink()
    done = stilts("validate", path.name, cwd=tmp_path)
    assert done.returncode == 2 and "deu.test.conll.gz" in done.stderr, "a language that is listed has its file"


def test_a_line_that_is_wrong_is_told_with_its_place(study: Path) -> None:
    path = study.parent / "likeness" / "test.de.tsv"
    good = path.read_text()
    path.write_text(good.replace("one\tother\tscore\n", "one\tother\tscore\na\tb\t7\n", 1))
    done = stilts("validate", study.name, cwd=study.parent)
    path.write_text(good)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    said = " ".join(done.stderr.split())
    assert "test.de.tsv" in said and "line 2" in said and "scale is 0 to 5" in said


@pytest.mark.slow
def test_a_task_of_ones_own_runs_and_can_be_scored_again(study: Path) -> None:
    done = stilts("run", study.name, "--local", "--store", "store", "--tracking-uri", "none", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    store = opened(study.parent / "store")
    keys = [key for key in store.done() if "/report." in key]
    assert len(keys) == 3 + 2 + 2
    parts = {store.result(key)["task"]: set(store.result(key)["parts"]) for key in keys}  # type: ignore[arg-type]
    assert parts["likeness"] == {"pearson", "spearman"} and "micro_f1" in parts["topics"]
    again = stilts("rescore", "own", "--store", "store", "--json", cwd=study.parent)
    assert again.returncode == 0, again.stderr
    value = json.loads(again.stdout)
    assert value["evaluations"] == value["from_predictions"] and value["differences"] == []
