"""A task that no step is for, masked LM without a head, and files beside an encoder are told before anything is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from stilts.app.costing import planned
from stilts.app.validating import validated
from stilts.errors import EncoderError, StudyError, TransferError
from stilts.models.model import fresh_model, save_model
from tests.models.families import TINY_CONFIGS
from tests.models.tokenizers_of import tokenizer_of

LABELS = ("yes", "no")
TASKS = """
datasets:
  big:
    languages: {train: [en], test: [en, de]}
    files: {reader: text_tsv, splits: {train: "{lang}.big", test: "{lang}.test"}}
  small:
    languages: {train: [en]}
    files: {reader: text_tsv, splits: {train: "{lang}.small"}}
  text:
    languages: {train: [en], test: [en]}
    files: {reader: lines, splits: {train: "{lang}.lines", test: "{lang}.more"}}
tasks:
  big:
    kind: classification
    metric: accuracy
    labels: ["yes", "no"]
    train: {dataset: big, split: train, part: rest}
    dev: {dataset: big, split: train, part: tenth}
    test: {dataset: big, split: test}
  small: {kind: classification, metric: accuracy, labels: ["yes", "no"], train: {dataset: small, split: train}}
  text:
    kind: masked_lm
    metric: masked_accuracy
    train: {dataset: text, split: train}
    test: {dataset: text, split: test}
"""
STUDY = """
name: mixed
question: What is told?
encoder: ENCODER
data: {source: files, root: .}
tasks: tasks.yaml
defaults:
  intermediate: {steps: 12, learning_rate: 1e-4}
  target: {steps: 2, learning_rate: 1e-4}
  encoding: {max_length: 16, batch_size: 4}
intermediates: {none: , mix: ROW}
targets: {TARGETS}
"""


def study(folder: Path, row: str, *, encoder: str = "{toy: true}", targets: str = "big: ") -> str:
    """A study with one row, its data beside it."""
    for name, count in (("en.big", 60), ("en.small", 8), ("en.test", 20), ("de.test", 20)):
        lines = (f"{name} number {number} is here\t{LABELS[number % 2]}" for number in range(count))
        (folder / name).write_text("\n".join(lines) + "\n")
    for name in ("en.lines", "en.more"):
        (folder / name).write_text("\n".join(f"the {name} lamp {number}" for number in range(30)) + "\n")
    (folder / "tasks.yaml").write_text(TASKS)
    path = folder / "study.yaml"
    path.write_text(STUDY.replace("ENCODER", encoder).replace("ROW", row).replace("TARGETS", targets))
    return str(path)


@pytest.mark.parametrize(
    "row",
    [
        "{mixture: {big: 0.97, small: 0.03}}",
        "{sampling: {tasks: [big, small], temperature: 0.2}}",
        "{task: big, masked_lm: {task: text, weight: 0.01}}",
    ],
)
def test_a_task_of_a_row_without_a_step_is_refused_by_every_verb(row: str, tmp_path: Path) -> None:
    path = study(tmp_path, row)
    for verb in (validated, lambda path: planned(path, str(tmp_path / "store"))):
        with pytest.raises(StudyError, match="no step of its 12 is for"):
            verb(path)


@pytest.mark.parametrize(
    "row", ["{mixture: {big: 0.9, small: 0.1}}", "{task: big, masked_lm: {task: text, weight: 0.25}}"]
)
def test_a_row_whose_tasks_all_have_steps_is_valid(row: str, tmp_path: Path) -> None:
    assert validated(study(tmp_path, row))["views"]


@pytest.fixture
def encoder(tmp_path: Path, shared: Path) -> Path:
    """A copy of a small real encoder."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_bytes((shared / "models" / "xlmr-mini" / name).read_bytes())
    return folder


def rewritten(encoder: Path, change: object) -> None:
    """Weights changed by a function from tensors to tensors."""
    weights = change(load_file(encoder / "model.safetensors"))  # type: ignore[operator]
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, encoder / "model.safetensors")


def test_masked_lm_from_a_random_head_is_said_in_validate_plan_and_row(tmp_path: Path, encoder: Path) -> None:
    rewritten(encoder, lambda weights: {n: t for n, t in weights.items() if not n.startswith("lm_head")})
    path = study(tmp_path, "{task: big, masked_lm: {task: text, weight: 0.25}}", encoder="{path: encoder}")
    said = "Row mix: its masked LM starts from a random head, for the encoder's checkpoint has none."
    assert said in validated(path)["notes"]
    cost, _ = planned(path, str(tmp_path / "store"))
    assert said in cost.notes


def test_a_masked_lm_target_without_a_head_is_refused_before_anything_is_run(tmp_path: Path, encoder: Path) -> None:
    rewritten(encoder, lambda weights: {n: t for n, t in weights.items() if not n.startswith("lm_head")})
    path = study(tmp_path, "{task: small}", encoder="{path: encoder}", targets="big: , text: ")
    with pytest.raises(StudyError, match=r"targets\.text.*holds no masked-LM head"):
        planned(path, str(tmp_path / "store"))


def test_masked_lm_with_an_encoder_that_has_no_head_for_it_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    text = tokenizer_of("qwen3")
    save_model(fresh_model(TINY_CONFIGS["qwen3"] | {"vocab_size": 500}, seed=0), folder, tokenizer=text.encode())
    path = study(tmp_path, "{task: big, masked_lm: {task: text, weight: 0.25}}", encoder="{path: encoder}")
    with pytest.raises(StudyError, match=r"intermediates\.mix.*qwen3 encoders have no masked-LM head"):
        planned(path, str(tmp_path / "store"))


def test_what_lies_beside_an_encoder_is_named_and_not_read(tmp_path: Path, encoder: Path) -> None:
    weights = load_file(encoder / "model.safetensors")
    save_file({name: torch.zeros_like(tensor) for name, tensor in weights.items()}, encoder / "model_old.safetensors")
    save_file({"adapter.x": torch.zeros(2, 2)}, encoder / "adapter_model.safetensors")
    rewritten(encoder, lambda tensors: {**tensors, "classifier.out_proj.bias": torch.zeros(3)})
    notes = validated(study(tmp_path, "{task: small}", encoder="{path: encoder}"))["notes"]
    assert "Encoder: adapter_model.safetensors, model_old.safetensors are not read." in notes
    assert "Encoder: its head (classifier) is left out; every task gets one of its own." in notes


def test_half_precision_is_computed_in_full(tmp_path: Path, encoder: Path) -> None:
    from stilts.models.model import load_model

    rewritten(encoder, lambda weights: {name: tensor.half() for name, tensor in weights.items()})
    config = json.loads((encoder / "config.json").read_text()) | {"dtype": "float16", "torch_dtype": "float16"}
    (encoder / "config.json").write_text(json.dumps(config))
    model, _ = load_model(encoder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    validated(study(tmp_path, "{task: small}", encoder="{path: encoder}"))


@pytest.mark.parametrize(
    ("tokens", "said"),
    [(["[lamp]", "lamp"], r"2 of its tokens have no embedding"), (None, "its template puts no token before a text")],
)
def test_a_tokenizer_that_does_not_fit_is_refused(
    tokens: list[str] | None, said: str, tmp_path: Path, encoder: Path
) -> None:
    tokenizer = json.loads((encoder / "tokenizer.json").read_text())
    size = json.loads((encoder / "config.json").read_text())["vocab_size"]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    for number, text in enumerate(tokens or []):
        tokenizer["added_tokens"].append({"id": size + number, "content": text, **flags})
    if tokens is None:
        tokenizer["post_processor"] = None
    (encoder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises((EncoderError, StudyError), match=said):
        validated(study(tmp_path, "{task: small}", encoder="{path: encoder}"))


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, encoder: Path) -> None:
    at = "layer.3.output.dense.weight"
    rewritten(encoder, lambda weights: {n: t * float("nan") if at in n else t for n, t in weights.items()})
    with pytest.raises((TransferError, StudyError), match=rf"{at} holds NaN"):
        validated(study(tmp_path, "{task: small}", encoder="{path: encoder}"))


@pytest.mark.parametrize(
    ("search", "least"),
    [
        ("weights: [big, small]", "9 % of 12"),
        ("sampling: {tasks: [big, small], temperature: {low: 1, high: 5}}", "9 % of 12"),
        ("subset: {tasks: [big, small], count: {low: 1, high: 2}}", ""),
        ("weights: [big, small], steps: {low: 40, high: 200}", "3 % of 40"),
        ("weights: [big, small], steps: {choices: [50, 300]}", "2 % of 50"),
        ("weights: [big, small], steps: {low: 100, high: 200}", ""),
        ("weights: [big, small], epochs: {low: 1, high: 2}", ""),
        ("learning_rate: {low: 1e-4, high: 1e-3}", ""),
    ],
)
def test_a_searched_share_that_may_be_no_step_is_told(search: str, least: str, tmp_path: Path) -> None:
    path = study(
        tmp_path,
        f"{{task: big, search: {{{search}, proposals: 3}}}}".replace(
            "task: big, ", "" if "learning_rate" not in search else "task: big, "
        ),
    )
    cost, _ = planned(path, str(tmp_path / "store"))
    for notes in (validated(path)["notes"], cost.notes):
        told = [note for note in notes if "may not train on it" in note]
        assert bool(told) == bool(least) and all(least in note for note in told), notes


def test_what_a_release_does_not_have_here_is_told_by_validate_and_plan(tmp_path: Path, shared: Path) -> None:
    path = Path(study(tmp_path, "{task: big}", targets="tatoeba: "))
    (tmp_path / "tatoeba").mkdir()
    for name in ("tatoeba.deu-eng.deu", "tatoeba.deu-eng.eng", "codes.json"):
        (tmp_path / "tatoeba" / name).symlink_to(shared / "data" / "tatoeba" / name)
    said = "tatoeba: no data here for "
    cost, _ = planned(str(path), str(tmp_path / "store"))
    for notes in (validated(str(path))["notes"], cost.notes):
        assert sum(note.startswith(said) for note in notes) == 1, notes
    path.write_text(path.read_text().replace("{tatoeba: }", "{tatoeba: {languages: [de]}}"))
    assert not any(note.startswith(said) for note in validated(str(path))["notes"])
