"""What people bring: a study over small files of their own, and what ``stilts validate`` and ``run`` say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.typed import Typed, typed

Files = Mapping[str, str | bytes]
NLI = ("entailment", "neutral", "contradiction")
THINGS = ("lamp", "chair", "table", "coat", "shoe", "cable")
NUM_TRAIN, NUM_TEST = 60, 12


def brought(
    folder: Path,
    files: Files,
    *,
    reader: str = "pair_tsv",
    kind: str = "classification",
    metric: str = "accuracy",
    labels: Sequence[object] = NLI,
    languages: Sequence[str] = ("en", "de"),
    train_languages: Sequence[str] = ("en",),
    paths: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    codes: Mapping[str, str] | None = None,
    task: Mapping[str, Any] | None = None,
    target: Mapping[str, Any] | None = None,
    encoder: Mapping[str, Any] | None = None,
) -> Path:
    """A study (JSON is YAML) of one target, ``mine``, over the files, which are written beside it.

    Files are called ``train-{lang}`` and ``test-{lang}``, unless ``paths`` says otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    layout = {
        "reader": reader,
        "splits": {"train": "train-{lang}", "test": "test-{lang}"} | dict(paths or {}),
        "options": dict(options or {}),
        "codes": dict(codes or {}),
    }
    split = {"dataset": "mine", "split": "train"}
    declared = {
        "kind": kind,
        "metric": metric,
        "labels": list(labels),
        "train": split | {"part": "rest"},
        "dev": split | {"part": "tenth"},
        "test": {"dataset": "mine", "split": "test"},
    }
    dataset = {"languages": {"train": list(train_languages), "test": list(languages)}, "files": layout}
    tasks = {"datasets": {"mine": dataset}, "tasks": {"mine": declared | dict(task or {})}}
    study = {
        "name": "brought",
        "encoder": dict(encoder or {"toy": True}),
        "data": {"source": "files", "root": "."},
        "tasks": "tasks.yaml",
        "defaults": {
            "intermediate": {"steps": 2, "learning_rate": 1e-3},
            "target": {"steps": 2, "learning_rate": 1e-3},
            "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
        },
        "intermediates": {"none": None},
        "targets": {"mine": dict(target or {})},
        "resources": {"cpus": 1},
    }
    (folder / "tasks.yaml").write_text(json.dumps(tasks, ensure_ascii=False))
    (folder / "study.yaml").write_text(json.dumps(study, ensure_ascii=False))
    return folder / "study.yaml"


def taken(study: Path) -> dict[str, Any]:
    """What ``validate`` says of a study that it takes."""
    said = typed("validate", study, "--json")
    assert not said.flaw(), said.flaw()
    assert said.status == 0, said.err
    value: dict[str, Any] = said.value
    return value


def counts(value: Mapping[str, Any]) -> dict[str, int]:
    """How many examples are reported on, by language."""
    return {view["language"]: view["examples"] for view in value["views"] if view["use"] == "report"}


def decoded(value: Mapping[str, Any]) -> list[str]:
    """The examples that are shown, as the model sees them."""
    return [line["text"] for line in value["decoded"]]


def tagged_words(value: Mapping[str, Any]) -> str:
    """The first example that is shown, its words made whole again: ``the/O lamp/B-LOC``."""
    words: list[tuple[str, str]] = []
    for piece in decoded(value)[0].split():
        text, _, tag = piece.partition("/")
        if piece.startswith("##"):
            words[-1] = (words[-1][0] + piece[2:], words[-1][1])
        elif tag and not piece.startswith("<"):
            words.append((text, tag))
    return " ".join("/".join(word) for word in words)


def refused(study: Path, *named: str) -> str:
    """The one message of ``validate`` on a study that it refuses, shown to name what it should."""
    said = typed("validate", study)
    assert not said.flaw(), said.flaw()
    assert said.status == 2, said.out or said.err
    message = said.err.strip()
    assert len(message.splitlines()) == 1, message
    for name in named:
        assert name in message, message
    return message


def texts(split: str, language: str, number: int | None = None) -> list[str]:
    """Sentences that no other split or language has."""
    number = number or (NUM_TRAIN if split == "train" else NUM_TEST)
    return [f"{split} {language} the {THINGS[i % 6]} number {i} is red" for i in range(number)]


def split_files(
    content: Callable[[list[str]], str | bytes], languages: Sequence[str] = ("en", "de"), ending: str = ""
) -> dict[str, str | bytes]:
    """English train and test in every language, each file as ``content`` writes its sentences."""
    named = {f"train-en{ending}": texts("train", "en")}
    named |= {f"test-{language}{ending}": texts("test", language) for language in languages}
    return {name: content(sentences) for name, sentences in named.items()}


def pair_lines(sentences: Sequence[str], labels: Sequence[object] = NLI) -> str:
    """Text TAB text TAB label."""
    return "".join(f"{text}\ta thing is red\t{labels[i % len(labels)]}\n" for i, text in enumerate(sentences))


def text_lines(sentences: Sequence[str]) -> str:
    """Text TAB label."""
    return "".join(f"{text}\t{NLI[i % 3]}\n" for i, text in enumerate(sentences))


def json_lines(sentences: Sequence[str], labels: Sequence[object] = NLI) -> str:
    """An object per line, in the default fields of ``pair_jsonl``."""
    rows = (
        {"text": text, "text_pair": "a thing is red", "label": labels[i % len(labels)]}
        for i, text in enumerate(sentences)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def tagged_lines(sentences: Sequence[str], tags: Sequence[str] = ("B-PER", "I-PER", "O", "B-LOC")) -> str:
    """Word TAB tag; the first words of every sentence have ``tags``, the others O."""
    written = []
    for sentence in sentences:
        words = sentence.split()
        whole = [*tags, *["O"] * len(words)]
        written.append("".join(f"{word}\t{tag}\n" for word, tag in zip(words, whole, strict=False)))
    return "\n".join(written)


def question_records(sentences: Sequence[str], answer: str = "red", before: str = "") -> list[dict[str, Any]]:
    """A flat record of SQuAD's for each sentence; ``answer`` is in it, ``before`` how far before it the span begins."""
    records = []
    for text in sentences:
        context = f"{text} in the house."
        start = context.index(answer) - len(before)
        assert context[start:].startswith(before + answer)
        records.append(
            {
                "id": text,
                "question": f"What is said of {text.split()[5]}?",
                "context": context,
                "answers": [{"text": before + answer, "answer_start": start}],
            }
        )
    return records


def squad_document(records: Sequence[Mapping[str, Any]]) -> str:
    """The records in SQuAD's own layout."""
    paragraphs = [
        {"context": record["context"], "qas": [{k: v for k, v in record.items() if k != "context"}]}
        for record in records
    ]
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]}, ensure_ascii=False)


RATED: dict[str, Any] = {
    "reader": "rated_tsv",
    "kind": "regression",
    "metric": "pearson",
    "labels": ["0", "5"],
    "options": {"text": "one", "text_pair": "other", "label": "score", "item": ""},
}


def rated_lines(sentences: Sequence[str], constant: bool = False) -> str:
    rows = [f"{text}\ta thing is red\t{3.0 if constant else i % 6}\n" for i, text in enumerate(sentences)]
    return "one\tother\tscore\n" + "".join(rows)


def ran(study: Path, tiny: Path, steps: int = 2) -> Typed:
    """What ``run`` says of a study, over the tiny encoder, in this process."""
    (study.parent / "tiny").symlink_to(tiny, target_is_directory=True)
    text = study.read_text().replace('{"toy": true}', '{"path": "tiny"}').replace('"steps": 2', f'"steps": {steps}')
    study.write_text(text)
    store = study.parent / "store"
    return typed("run", study, "--store", store, "--local", "--tracking-uri", "none", "--threads", "1", limit_s=300)


def run_study(study: Path, tiny: Path, steps: int = 2) -> Path:
    """The study, once it is run."""
    said = ran(study, tiny, steps)
    assert said.status == 0 and not said.flaw(), said.err + said.flaw()
    return study


def matrix_of(study: Path) -> Any:
    said = typed("matrix", study, "--store", study.parent / "store", "--json")
    assert said.status == 0, said.err
    return said.value
