"""Every family of encoders does what there is to do: learns all kinds, chains, resumes, is scored and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from stilts.app.checks import check_encoder_folder
from stilts.errors import EncoderError, StiltsError
from stilts.execute.run_stage import run_stage
from stilts.kinds.learning import heads_of, learning_of
from stilts.models.export import Exported, export_model
from stilts.models.heads import pooled
from stilts.models.model import TOKENIZER_FILE, fresh_model, load_model, save_model
from stilts.store import Store, make_store
from stilts.study.stage import Estimate, EstimateData, EstimateStage, TrainStage
from stilts.tasks.registry import default_registry
from stilts.tasks.special_tokens import special_tokens, with_end
from stilts.tasks.task import Task
from tests.models.families import TINY_CONFIGS, WITH_LM_HEAD
from tests.models.tokenizers_of import tokenizer_of
from tests.training.recording_reporter import RecordingReporter
from tests.training.tiny import encoder_ref, evaluate_stage, part, run_config, train_stage

# A task of each kind, and what of the plain classes of a family cannot take our head.
KINDS = ("mnli", "udpos")
MORE_KINDS = ("squad", "hellaswag", "lareqa", "stsb", "multieurlex", "plain")
NO_PLAIN_CLASS = {
    **{name: {"mnli", "squad", "hellaswag", "stsb", "multieurlex"} for name in ("mt5", "umt5")},
    "qwen3": {"hellaswag"},
}


class Interrupting(RecordingReporter):
    """Ends the run after two steps."""

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        super().progress(stage_id, step, steps)
        if step == 2:
            raise KeyboardInterrupt


@pytest.fixture(params=TINY_CONFIGS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write_encoder(folder: Path, family: str) -> Path:
    """A random encoder with the tokenizer of its kin."""
    text = tokenizer_of(family)
    size = Tokenizer.from_str(text).get_vocab_size()
    folder.mkdir()
    config = TINY_CONFIGS[family] | {"vocab_size": size + 8}
    model = fresh_model(config, seed=0)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # large enough that a wrong place would show
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    save_model(model, folder, tokenizer=text.encode())
    return folder


@pytest.fixture
def encoder(family: str, tmp_path: Path) -> Path:
    return write_encoder(tmp_path / "encoder", family)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def learned(encoder: Path, store: Store, task: str, steps: int = 3, **config: Any) -> TrainStage:
    shares = {"dropout": 0.2, "attention_dropout": 0.1}
    stage = train_stage(encoder, part(task, limit=24, max_length=48, doc_stride=8), steps=steps, **shares, **config)
    run_stage(stage, store, run_config(encoder))
    return stage


def exported(source: Path, folder: Path, task: Task) -> Exported:
    what = Exported(
        kind=task.kind, form=learning_of(task.kind).export, learner=task.learner, labels=task.labels, layer=2
    )
    export_model(source, folder, what)
    return what


def test_its_folder_is_found_in_order(encoder: Path) -> None:
    check_encoder_folder(encoder)


@pytest.mark.parametrize("kind", [*KINDS, *(pytest.param(kind, marks=pytest.mark.slow) for kind in MORE_KINDS)])
def test_it_learns_a_kind_and_is_exported(family: str, kind: str, encoder: Path, store: Store, tmp_path: Path) -> None:
    task = default_registry().task(kind)
    if learning_of(task.kind).uses_lm_head and family not in WITH_LM_HEAD:
        with pytest.raises(StiltsError, match="it has no masked-LM head"):
            learned(encoder, store, kind)
        return
    stage = learned(encoder, store, kind)
    losses = [loss for _, loss, _ in store.result(stage.stage_id)["curve"]]
    assert len(losses) == 3 and all(0 < loss < 1e3 for loss in losses)
    source = louder(store.fetch(stage.stage_id), tmp_path / "louder", task)
    if kind in NO_PLAIN_CLASS.get(family, ()):
        with pytest.raises(EncoderError, match="transformers has no such class"):
            exported(source, tmp_path / "plain", task)
        return
    what = exported(source, tmp_path / "plain", task)
    name = json.loads((tmp_path / "plain" / "config.json").read_text())["architectures"][0]
    theirs, info = getattr(transformers, name).from_pretrained(tmp_path / "plain", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    compare(source, tmp_path / "plain", task, theirs.eval(), what)


def louder(source: Path, folder: Path, task: Task) -> Path:
    """The artifact with a head of larger weights, whose outputs tell texts apart."""
    model, _ = load_model(source, heads_of([task]))
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.mul_(20)
    folder.mkdir()
    save_model(model, folder, tokenizer=(source / TOKENIZER_FILE).read_bytes())
    return folder


def compare(source: Path, folder: Path, task: Task, theirs: Any, what: Exported) -> None:
    """The plain model on the plain tokenizer's tensors, against ours on our own."""
    ours = load_model(source, heads_of([task]))[0].eval()
    texts, others = ["a b c d e f g", "h i", "j k l m"] * 2, ["n o p", "q", "r s t u v"] * 2
    plain = transformers.AutoTokenizer.from_pretrained(folder)
    told = dict(plain(texts, others, padding=True, return_tensors="pt"))
    own: Any = with_end(Tokenizer.from_file(str(source / TOKENIZER_FILE)))
    rows = [own.encode(a, b).ids for a, b in zip(texts, others, strict=True)]
    mask = told["attention_mask"].bool()
    assert [ids[there].tolist() for ids, there in zip(told["input_ids"], mask, strict=True)] == rows
    types = told.get("token_type_ids")
    with torch.inference_mode():
        hidden = ours.hidden(told["input_ids"], mask, types)
        if task.kind.name == "retrieval":
            state = theirs(**told, output_hidden_states=True).hidden_states[2]
            expected = pooled(ours.hidden_at(told["input_ids"], mask, 2, types), mask, "mean")
            found = pooled(state, mask, "mean")
        elif task.kind.name == "masked_lm":
            expected, found = ours.masked_logits(hidden[mask]), theirs(**told).logits[mask]
        elif task.kind.name == "multiple_choice":
            expected = ours.heads[task.learner](hidden, mask)
            found = theirs(**{name: each.view(2, 3, -1) for name, each in told.items()}).logits.view(-1, 1)
        else:
            expected, out = ours.heads[task.learner](hidden, mask), theirs(**told)
            found = torch.stack([out.start_logits, out.end_logits], -1) if "start_logits" in out else out.logits
            if expected.ndim == 3:
                expected, found = expected[mask], found[mask]
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-6)


def test_an_intermediate_a_target_and_its_scores(encoder: Path, store: Store) -> None:
    """A chain, and a stage that is interrupted and goes on to the same weights."""
    intermediate = learned(encoder, store, "mnli")
    parts = (part("udpos", limit=24, max_length=48),)
    target = train_stage(encoder, *parts, steps=4, dropout=0.2, attention_dropout=0.1, seed=5)
    target = TrainStage(
        parent=intermediate.stage_id, encoder=target.encoder, mixture=parts, config=target.config, seed=5
    )
    with pytest.raises(KeyboardInterrupt):
        run_stage(target, store, run_config(encoder), Interrupting())
    assert store.load_progress(target.stage_id) is not None
    run_stage(target, store, run_config(encoder))
    whole = make_store(str(encoder.parent / "again"))
    run_stage(intermediate, whole, run_config(encoder))
    run_stage(target, whole, run_config(encoder))
    for file in ("encoder.safetensors", "head.udpos.safetensors"):
        again = (whole.fetch(target.stage_id) / file).read_bytes()
        assert again == (store.fetch(target.stage_id) / file).read_bytes(), "resumed to the same bits"
    scored = evaluate_stage(encoder, "udpos", target.stage_id, "en", "qaa", limit=8)
    assert run_stage(scored, store, run_config(encoder)).state == "done"


def test_the_encoder_itself_is_scored_by_layer_and_estimated(encoder: Path, store: Store) -> None:
    """The row ``none`` of a retrieval, from the hidden state that is asked for, and what features say of a task."""
    scored = evaluate_stage(encoder, "tatoeba", None, "qaa", limit=8)
    assert run_stage(scored, store, run_config(encoder)).state == "done"
    for which, name in ((Estimate.LOGME, "mnli"), (Estimate.H_SCORE, "udpos"), (Estimate.EMBEDDING, "squad")):
        data = part(name, limit=24)
        stage = EstimateStage(
            estimate=which,
            parent=None,
            encoder=encoder_ref(encoder),
            data=(EstimateData(task=data.task, config=data.config, views=data.train),),
        )
        run_stage(stage, store, run_config(encoder))
        assert torch.isfinite(torch.tensor(store.result(stage.stage_id)["value"])).all()


def test_a_decoder_s_plain_class_reads_texts_that_are_padded_on_either_side(store: Store, tmp_path: Path) -> None:
    encoder, task = write_encoder(tmp_path / "encoder", "qwen3"), default_registry().task("mnli")
    source = louder(store.fetch(learned(encoder, store, "mnli").stage_id), tmp_path / "louder", task)
    exported(source, tmp_path / "plain", task)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain")
    logits = []
    for side in ("right", "left"):
        plain = transformers.AutoTokenizer.from_pretrained(tmp_path / "plain", padding_side=side)
        told = plain(["a b c d e", "f"], ["g h", "i"], padding=True, return_tensors="pt")
        assert bool(told["attention_mask"][1, 0]) == (side == "right")
        with torch.inference_mode():
            logits.append(model.eval()(**told).logits)
    torch.testing.assert_close(logits[0], logits[1], atol=1e-5, rtol=1e-6)


def test_what_ends_and_pads_a_decoder_s_texts() -> None:
    found = special_tokens(with_end(Tokenizer.from_str(tokenizer_of("qwen3"))))
    assert found.behind != (found.pad,) and found.reads_from_end and found.mask is None
