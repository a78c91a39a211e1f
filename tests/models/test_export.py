"""Exported models: plain transformers computes what ours computes, for every kind of task."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from stilts.data.toy import toy_tokenizer_json
from stilts.errors import EncoderError, TransferError
from stilts.kinds.learning import add_heads, heads_of, learning_of
from stilts.models.export import Exported, export_model
from stilts.models.heads import pooled
from stilts.models.model import StiltsModel, fresh_model, load_model, save_model
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.multi_label import MULTI_LABEL
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.regression import REGRESSION
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import default_registry
from stilts.tasks.task import Task
from tests.training.tiny import TINY

SIZE = len(json.loads(toy_tokenizer_json())["model"]["vocab"]) + 8
CONFIGS = {name: {**TINY, "model_type": name, "vocab_size": SIZE} for name in ("xlm-roberta", "xlm-roberta-xl")}
TASKS = {
    kind: default_registry().task(name)
    for kind, name in {
        CLASSIFICATION: "mnli",
        TAGGING: "udpos",
        SPAN_QA: "tydiqa",
        MULTIPLE_CHOICE: "hellaswag",
        RETRIEVAL: "tatoeba",
        REGRESSION: "stsb",
        MULTI_LABEL: "multieurlex",
    }.items()
}
CHOICES = 3


@pytest.fixture(params=sorted(CONFIGS))
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CONFIGS[request.param]


def artifact(folder: Path, config: dict[str, Any], *tasks: Task) -> Path:
    """What a train stage publishes, with weights large enough that a wrong place would show."""
    model = fresh_model(config, seed=1)
    for task in tasks:
        add_heads(model, [task], seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    folder.mkdir()
    save_model(model, folder, tokenizer=toy_tokenizer_json().encode())
    return folder


def plain(kind: TaskKind, **more: Any) -> Exported:
    return Exported(kind=kind, form=learning_of(kind).export, **more)


def exported(source: Path, target: Path, task: Task, **more: Any) -> Path:
    export_model(source, target, plain(task.kind, learner=task.learner, labels=task.labels, layer=1), **more)
    return target


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Six rows of unlike length, padded at the end."""
    ids = torch.randint(4, SIZE - 8, (6, 11), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(11)[None, :] < torch.tensor([11, 9, 7, 5, 3, 2])[:, None]
    return torch.where(mask, ids, 1), mask


def plain_logits(model: Any, kind: TaskKind, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    if kind is MULTIPLE_CHOICE:
        shape = (-1, CHOICES, ids.shape[1])
        logits: torch.Tensor = model(input_ids=ids.view(shape), attention_mask=mask.view(shape).long()).logits
        return logits.view(-1, 1)
    out = model(input_ids=ids, attention_mask=mask.long())
    return torch.stack([out.start_logits, out.end_logits], -1) if kind is SPAN_QA else out.logits


def load_plain(folder: Path, auto: str) -> Any:
    """The model as users load it; nothing may be made up, and nothing left over."""
    model, info = getattr(transformers, auto).from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    return model.eval()


AUTO = {
    CLASSIFICATION: "AutoModelForSequenceClassification",
    TAGGING: "AutoModelForTokenClassification",
    SPAN_QA: "AutoModelForQuestionAnswering",
    MULTIPLE_CHOICE: "AutoModelForMultipleChoice",
    REGRESSION: "AutoModelForSequenceClassification",
    MULTI_LABEL: "AutoModelForSequenceClassification",
}


@pytest.mark.parametrize("kind", AUTO)
def test_logits_agree(kind: TaskKind, config: dict[str, Any], tmp_path: Path) -> None:
    task = TASKS[kind]
    source = artifact(tmp_path / "artifact", config, task)
    ours = load_model(source, heads_of([task]))[0].eval()
    theirs = load_plain(exported(source, tmp_path / "plain", task), AUTO[kind])
    ids, mask = batch()
    with torch.inference_mode():
        expected = ours.heads[task.learner](ours.hidden(ids, mask), mask)
        found = plain_logits(theirs, kind, ids, mask)
    seen = mask if kind in (TAGGING, SPAN_QA) else torch.ones(6, dtype=torch.bool)
    assert expected[seen].std() > 0.1
    torch.testing.assert_close(found[seen], expected[seen], atol=1e-5, rtol=0)


def test_masked_lm_agrees(config: dict[str, Any], tmp_path: Path) -> None:
    source = artifact(tmp_path / "artifact", config)
    ours = load_model(source)[0].eval()
    export_model(source, tmp_path / "plain", plain(MASKED_LM))
    theirs = load_plain(tmp_path / "plain", "AutoModelForMaskedLM")
    ids, mask = batch()
    with torch.inference_mode():
        expected = ours.masked_logits(ours.hidden(ids, mask)[mask])
        found = theirs(input_ids=ids, attention_mask=mask.long()).logits[mask]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_sentence_vectors_agree_at_the_recorded_layer(config: dict[str, Any], tmp_path: Path) -> None:
    source = artifact(tmp_path / "artifact", config)
    ours = load_model(source)[0].eval()
    theirs = load_plain(exported(source, tmp_path / "plain", TASKS[RETRIEVAL]), "AutoModel")
    ids, mask = batch()
    with torch.inference_mode():
        expected = pooled(ours.hidden_at(ids, mask, 1), mask, "mean")
        out = theirs(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
        found = pooled(out.hidden_states[theirs.config.stilts["layer"]], mask, "mean")
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_pretrained_folder_is_exported_for_retrieval(tmp_path: Path) -> None:
    source = artifact(tmp_path / "artifact", CONFIGS["xlm-roberta"])
    export_model(source, tmp_path / "pretrained", plain(MASKED_LM))
    exported(tmp_path / "pretrained", tmp_path / "plain", TASKS[RETRIEVAL])
    ids, mask = batch()
    ours: StiltsModel = load_model(source)[0].eval()
    with torch.inference_mode():
        found = load_plain(tmp_path / "plain", "AutoModel")(input_ids=ids, attention_mask=mask.long())
        torch.testing.assert_close(found.last_hidden_state[mask], ours.hidden(ids, mask)[mask], atol=1e-5, rtol=0)


def test_labels_and_tokens_are_those_of_the_task_and_the_encoder(tmp_path: Path) -> None:
    task = TASKS[CLASSIFICATION]
    folder = exported(artifact(tmp_path / "artifact", CONFIGS["xlm-roberta"], task), tmp_path / "plain", task)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert tuple(config.id2label[number] for number in range(3)) == task.labels
    assert config.label2id == {label: number for number, label in enumerate(task.labels)}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    plain = Tokenizer.from_str(toy_tokenizer_json())
    words = [token for token in list(plain.get_vocab())[5:400:37] if not token.startswith("##")]
    first, second = " ".join(words), " ".join(reversed(words))
    assert tokenizer(first, second)["input_ids"] == plain.encode(first, second).ids
    padded = tokenizer([first, words[0]], padding=True)
    assert padded["input_ids"][1][-1] == tokenizer.pad_token_id == 1
    assert tokenizer.model_max_length == TINY["max_position_embeddings"] - 2


def test_only_safetensors_are_written_and_large_models_in_shards(tmp_path: Path) -> None:
    task = TASKS[TAGGING]
    source = artifact(tmp_path / "artifact", CONFIGS["xlm-roberta"], task)
    whole = exported(source, tmp_path / "whole", task)
    cut = exported(source, tmp_path / "cut", task, shard_bytes=20_000)
    suffixes = {path.suffix for path in (*whole.iterdir(), *cut.iterdir())}
    assert suffixes == {".json", ".safetensors"}
    assert len(list(cut.glob("model-*.safetensors"))) > 3
    one, many = (load_plain(folder, AUTO[task.kind]).state_dict() for folder in (whole, cut))
    assert all(torch.equal(one[name], many[name]) for name in one)


def without_head(source: Path) -> None:
    next(source.glob("head.*.safetensors")).unlink()


def without_encoder(source: Path) -> None:
    for path in source.glob("*.safetensors"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (without_head, TransferError, "no head.udpos.safetensors"),
        (without_encoder, EncoderError, r"no \*\.safetensors"),
    ],
)
def test_what_is_not_there_is_not_exported(
    damage: Callable[[Path], None], error: type[Exception], words: str, tmp_path: Path
) -> None:
    source = artifact(tmp_path / "artifact", CONFIGS["xlm-roberta"], TASKS[TAGGING])
    damage(source)
    with pytest.raises(error, match=words):
        exported(source, tmp_path / "plain", TASKS[TAGGING])


def test_a_head_of_another_size_is_refused(tmp_path: Path) -> None:
    source = artifact(tmp_path / "artifact", CONFIGS["xlm-roberta"], TASKS[TAGGING])
    wrong = plain(TAGGING, learner="udpos", labels=("A", "B"))
    with pytest.raises(TransferError, match=r"of another shape: \['classifier.bias', 'classifier.weight'\]"):
        export_model(source, tmp_path / "plain", wrong)
