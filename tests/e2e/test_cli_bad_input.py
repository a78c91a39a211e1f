"""Bad input ends ``validate``, ``plan`` and ``run`` with status 2 and one message that names file and field.

``run`` is called with ``--local``: what is wrong in a line of data is met inside a stage, as it would be in a worker.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from stilts.cli.main import main
from tests.e2e.studies import tiny_study
from tests.odd_files import put_odd

VERBS = ("validate", "plan", "run")
TASKS = """\
datasets:
  reviews:
    languages: {train: [en], test: [en, de]}
    files:
      reader: pair_tsv
      splits: {train: "{lang}.train.tsv", test: "{lang}.test.tsv"}
tasks:
  reviews:
    kind: classification
    metric: accuracy
    labels: [good, bad]
    train: {dataset: reviews, split: train, part: rest}
    dev: {dataset: reviews, split: train, part: tenth}
    test: {dataset: reviews, split: test}
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STILTS_STORE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a tiny encoder, written once."""
    folder = tmp_path_factory.mktemp("encoder")
    tiny_study(folder)
    return folder / "tiny"


@pytest.fixture
def folder(tmp_path: Path, encoder: Path) -> Path:
    """Where a study may be written: its encoder is there."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "tiny").symlink_to(encoder, target_is_directory=True)
    return tmp_path / "study"


def ended(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str, str]:
    """(status, standard output, standard error) of the command line."""
    monkeypatch.setattr(sys, "argv", ["stilts", *map(str, words)])
    try:
        main()
        status: Any = 0
    except SystemExit as end:
        status = end.code or 0
    said = capsys.readouterr()
    return int(status), said.out, said.err


def words_of(verb: str, study: Path, tmp_path: Path) -> list[object]:
    store = ["--store", tmp_path / "store"]
    more = {"validate": [], "plan": store, "run": [*store, "--local", "--tracking-uri", "none", "--threads", "1"]}
    return [verb, study, *more[verb]]


def refuses(status: int, out: str, err: str, *named: str) -> None:
    assert status == 2, err
    assert "Traceback" not in out + err
    messages = [line for line in err.splitlines() if line.partition(":")[0].endswith("Error")]
    assert len(messages) == 1, err
    for name in named:
        assert name in messages[0]


def broken(changes: dict[str, Any], *named: str) -> Any:
    return pytest.param(changes, named, id=named[0])


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        broken({"colour": "red"}, "colour"),
        broken({"defaults": {"target": {"steps": 5, "lerning_rate": 0.1}}}, "defaults.target.lerning_rate"),
        broken({"defaults": {"target": {"steps": "5"}}}, "defaults.target.steps"),
        broken({"intermediates": {"none": None, "mnlii": None}}, "intermediates.mnlii", 'Did you mean "mnli"?'),
        broken({"targets": {"udpso": None}}, "targets.udpso", 'Did you mean "udpos"?'),
        broken({"intermediates": {"mix": {"mixture": {"mnli": 0.5, "qnlii": 0.5}}}}, "intermediates.mix", '"qnlii"'),
        broken(
            {"intermediates": {"mix": {"search": {"proposals": 2, "weights": ["mnli", "panx"], "sampler": "tpee"}}}},
            "intermediates.mix.search.sampler",
            'Did you mean "tpe"?',
        ),
        broken({"targets": {"udpos": {"languages": ["en", "tlh"]}}}, "targets.udpos", '"tlh"'),
        broken({"encoder": {"path": "nowhere"}}, "encoder", "nowhere"),
        broken({"data": {"source": "files", "root": "no_data"}}, "data.root", "no_data"),
        broken({"data": {"source": "toy", "sources": {"xnlii": "toy"}}}, "data.sources", '"xnlii"'),
        broken({"tasks": "no_tasks.yaml"}, "tasks", "no_tasks.yaml"),
        broken({"defaults": {"encoding": {"max_length": 96}}}, "neither steps nor epochs"),
        broken({"defaults": {"target": {"steps": 5}, "encoding": {"max_length": 4096}}}, "encoding.max_length", "4096"),
    ],
)
def test_a_study_that_cannot_be_meant(
    verb: str,
    changes: dict[str, Any],
    named: tuple[str, ...],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = tiny_study(folder, **changes)
    refuses(*ended(capsys, monkeypatch, *words_of(verb, study, tmp_path)), "little.yaml", *named)
    assert not (tmp_path / "store" / "stages").exists()


@pytest.mark.parametrize("text", ["name: [", "just words", "name: a\nname: b\n", ""])
def test_a_study_that_is_no_mapping(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    refuses(*ended(capsys, monkeypatch, "plan", tmp_path / "odd.yaml"), "odd.yaml")


_LISTS = ", ".join(
    ["&a [x,x,x,x,x,x,x,x,x]"]
    + [f"&{name} [{','.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)]
)
BOMB = f"datasets: {{d: {{toy: {{generator: nli, sizes: {{train: 10}}, options: {{x: [{_LISTS}]}}}}}}}}\n"


@pytest.mark.parametrize("where", ["study", "tasks"])
def test_a_bomb_of_aliases_is_refused_in_time(where: str, folder: Path) -> None:
    """In a process of its own with a limit on its memory: what unfolds it takes all of both."""
    study = tiny_study(folder, tasks="more.yaml")
    (folder / "more.yaml").write_text(BOMB if where == "tasks" else "tasks: {}\n")
    if where == "study":
        study.write_text(f'{{"question": [{_LISTS}], {study.read_text()[1:]}')
    said = subprocess.run(
        [sys.executable, "-m", "stilts.cli.main", "validate", study],
        capture_output=True,
        text=True,
        timeout=90,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, 12 * 2**30)),
    )
    name = "little.yaml" if where == "study" else "more.yaml"
    refuses(said.returncode, said.stdout, said.stderr, f"{name}, line 1", "holds more than 100,000 values")


@pytest.mark.parametrize("where", ["study", "tasks"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "large", "deep"])
def test_a_file_that_is_none_or_is_too_much(
    kind: str, where: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = folder / "odd.yaml"
    said = {"pipe": "a pipe", "folder": "a folder", "device": "a device", "large": "2 GiB", "deep": "nested more than"}
    if not put_odd(kind, odd):
        odd.write_text("tasks: " + "[" * 200_000)
    if kind == "large":
        os.truncate(odd, 2**31)
    study = odd if where == "study" else tiny_study(folder, tasks="odd.yaml")
    refuses(*ended(capsys, monkeypatch, "validate", study), "odd.yaml", said[kind])


@pytest.mark.parametrize("verb", VERBS)
def test_a_study_file_that_is_not_there(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(*ended(capsys, monkeypatch, *words_of(verb, tmp_path / "no.yaml", tmp_path)), "no.yaml")


def reviews(folder: Path, *, lines: int = 60) -> Iterator[Path]:
    """The files of a small dataset of the user's own."""
    for name in ("en.train", "en.test", "de.test"):
        path = folder / f"{name}.tsv"
        path.write_text("".join(f"text {n} of {name}\tsaid {n}\t{'good' if n % 2 else 'bad'}\n" for n in range(lines)))
        yield path


def own_task_study(folder: Path, **changes: Any) -> Path:
    (folder / "tasks.yaml").write_text(TASKS)
    fields = {"intermediates": {"none": None}, "targets": {"reviews": {"train": {"steps": 2}}}, **changes}
    data = {"source": "toy", "sources": {"reviews": "files"}, "root": "."}
    return tiny_study(folder, tasks="tasks.yaml", data=data, **fields)


def test_a_malformed_line_of_a_target(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _, german = reviews(folder)
    study = own_task_study(folder)
    # As it is, the study is good.
    assert ended(capsys, monkeypatch, *words_of("validate", study, tmp_path))[0] == 0
    whole = train.read_text()
    train.write_text(whole + "a line\twithout its label\n")
    for verb in ("validate", "run"):
        said = ended(capsys, monkeypatch, *words_of(verb, study, tmp_path))
        refuses(*said, "en.train.tsv", "line 61")
    train.write_text(whole)
    german.write_text(german.read_text().replace("\tgood\n", "\tgut\n", 1))
    for verb in ("validate", "run"):
        said = ended(capsys, monkeypatch, *words_of(verb, study, tmp_path))
        refuses(*said, "de.test.tsv", "line 2", "field label", '"gut"')


@pytest.mark.parametrize("where", ["--local", pytest.param("--num-cpus=1", marks=pytest.mark.slow)])
def test_a_malformed_line_that_only_a_stage_meets(
    where: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, *_ = reviews(folder)
    train.write_text(train.read_text().replace("\tgood\n", "\tgut\n"))
    rows = {"none": None, "reviews": {"train": {"steps": 2}}}
    study = own_task_study(folder, intermediates=rows, targets={"tatoeba": {"languages": ["qaa"]}})
    refuses(*ended(capsys, monkeypatch, *words_of("validate", study, tmp_path)), "en.train.tsv", "field label")
    words = [where if word == "--local" else word for word in words_of("run", study, tmp_path)]
    for _ in range(2):
        said = ended(capsys, monkeypatch, *words)
        refuses(*said, "en.train.tsv", "line ", "field label", '"gut"', "train-reviews-")
    status = json.loads(ended(capsys, monkeypatch, "status", study, "--store", tmp_path / "store", "--json")[1])
    assert status["stages"] == {**status["stages"], "done": 1, "failed": 1}
    assert [failure["kind"] for failure in status["failures"].values()] == ["DataError"]


# What the headers of the files tell is told by plan too; a tokenizer is tried where it will be used.
EARLY = ["tensor", "layer", "shape", "truncated", "no header", "no weights", "pickle", "config", "tokenizer"]
HARMS = [(verb, harm) for harm in EARLY for verb in VERBS] + [(verb, "not a tokenizer") for verb in ("validate", "run")]


@pytest.mark.parametrize(("verb", "harm"), HARMS)
def test_a_checkpoint_that_is_not_whole(
    verb: str,
    harm: str,
    encoder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = tmp_path / "study" / "tiny"
    copied.mkdir(parents=True)
    for path in encoder.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    named = _harm(harm, copied)
    study = tiny_study(tmp_path / "study", intermediates={"none": None}, targets={"udpos": {"languages": ["en"]}})
    refuses(*ended(capsys, monkeypatch, *words_of(verb, study, tmp_path)), "encoder", "tiny", named)


def _harm(harm: str, encoder: Path) -> str:
    """Damages an encoder's folder; what the message must name."""
    weights = encoder / "encoder.safetensors"
    if harm in ("tensor", "layer", "shape"):
        tensors = load_file(weights)
        layer = "encoder.layer.1.attention.self.query.weight"
        if harm == "tensor":
            tensors.pop(layer)
        elif harm == "layer":
            tensors = {name: tensor for name, tensor in tensors.items() if ".layer.1." not in name}
        else:
            tensors[layer] = tensors[layer][:-1].copy()
        save_file(tensors, weights)
        return layer if harm != "layer" else "16 missing"
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
        return "encoder.safetensors"
    if harm == "no header":
        weights.write_bytes(b"not tensors at all")
        return "encoder.safetensors"
    if harm in ("no weights", "pickle"):
        for path in encoder.glob("*.safetensors"):
            path.unlink()
        if harm == "pickle":
            (encoder / "pytorch_model.bin").write_bytes(b"")
        return "pytorch_model.bin" if harm == "pickle" else "safetensors"
    if harm == "not a tokenizer":
        (encoder / "tokenizer.json").write_text("{}")
        return "tokenizer.json"
    (encoder / f"{harm}.json").unlink()
    return f"{harm}.json"


@pytest.mark.parametrize("verb", ["plan", "run", "matrix", "best", "status", "gc", "track"])
def test_a_store_of_a_newer_stilts(
    verb: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "LAYOUT").write_text(json.dumps({"version": 999, "id": "x"}))
    study = [] if verb in ("gc", "track") else [tiny_study(folder)]
    refuses(*ended(capsys, monkeypatch, verb, *study, "--store", store), "newer than this stilts", "layout 999")


def test_a_folder_that_is_no_store(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tiny_study(folder)
    (tmp_path / "a file").write_text("x")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "LAYOUT").write_text("not JSON")
    for verb in ("plan", "run"):
        refuses(*ended(capsys, monkeypatch, verb, study, "--store", tmp_path / "odd"), "LAYOUT")
    refuses(*ended(capsys, monkeypatch, "run", study, "--store", tmp_path / "a file"), "a file")
    for verb in ("matrix", "status", "best"):
        refuses(*ended(capsys, monkeypatch, verb, study, "--store", tmp_path / "nowhere"), "nowhere")


def test_names_that_the_study_does_not_have(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tiny_study(folder, intermediates={"none": None}, targets={"tatoeba": {"languages": ["qaa"]}})
    words = words_of("run", study, tmp_path)
    assert ended(capsys, monkeypatch, *words)[0] == 0
    store = ["--store", tmp_path / "store"]
    refuses(*ended(capsys, monkeypatch, "best", study, "--target", "tatoebaa", *store), '"tatoebaa"')
    refuses(*ended(capsys, monkeypatch, "matrix", study, "--languages", "xnli", *store), '"xnli"', "tatoeba")
    refuses(*ended(capsys, monkeypatch, "explain", study, "mnli>tatoeba", *store), '"mnli>tatoeba"')
    refuses(*ended(capsys, monkeypatch, "matrix", "other", *store), '"other"', "little")
