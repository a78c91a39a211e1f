"""What names a stage, and what never does: golden ids, and properties over made-up stages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.study.config import Keep, Precision, TaskConfig, TrainConfig
from stilts.study.stage import EvaluateStage, Stage, TrainStage, Use
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.encoder_shape import EncoderShape
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Part, SplitRef
from stilts.training.run_config import RunConfig
from tests.study.handmade import (
    ENCODER,
    NLI,
    PAIRS,
    QA,
    SHAPE,
    TAGS,
    TEXT,
    evaluate_stage,
    item,
    part,
    train_stage,
    view,
)

# A changed id means that nobody's results are found again: it needs a line in CHANGELOG.md that says why, beside the
# raised SEMANTIC_VERSION.
GOLDEN: dict[str, tuple[Stage, tuple[str, ...]]] = {
    "recipe": (train_stage(), ("train-mnli-21f01ffbc090",)),
    "mixture": (
        train_stage(part(NLI, 0.75), part(TAGS, 0.25), seed=0, config=TrainConfig(steps=50, precision=Precision.BF16)),
        ("train-mnli+udpos-ab3615800b4a",),
    ),
    "fine-tuning": (
        train_stage(
            part(QA),
            parent="train-mnli-000000000000",
            config=TrainConfig(steps=9, keep=Keep.BEST, evaluate_every=3),
        ),
        ("train-xquad-fed228fa0813",),
    ),
    "masked": (train_stage(part(TEXT, select=())), ("train-plain-5d02bf0ed324",)),
    "evaluation": (
        evaluate_stage(item("en", Use.SELECT), item("de"), item("sw", limit=100, part=Part.HALF_REPORT)),
        (
            "evaluate-xnli-d20294c252ac/select.en-1124c717",
            "evaluate-xnli-d20294c252ac/report.de-729d982d",
            "evaluate-xnli-d20294c252ac/report.sw-713c5567",
        ),
    ),
    "retrieval": (
        evaluate_stage(item("de"), task=PAIRS, parent=None),
        ("evaluate-tatoeba-0d10b8821fa4/report.de-729d982d",),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_ids(name: str) -> None:
    stage, outputs = GOLDEN[name]
    assert stage.outputs == outputs


# --- what is execution, or only a name, never enters an id ---


@given(
    st.dictionaries(st.sampled_from(["root", "path", "repo", "revision"]), st.text(max_size=9)),
    st.lists(st.text(max_size=9), max_size=3),
    st.text(min_size=1, max_size=9),
    st.none() | st.just(SHAPE),
)
def test_where_things_lie_is_no_identity(
    location: dict[str, str], paths: list[str], name: str, shape: EncoderShape | None
) -> None:
    encoder = replace(ENCODER, location=location, name=name, shape=shape)
    moved = view(location={"root": name, "paths": paths})
    elsewhere = part(train=(moved,), select=(view(split="dev", location={"root": name, "paths": paths}),))
    assert train_stage(elsewhere, encoder=encoder).stage_id == train_stage().stage_id
    scored = item("de", location={"root": name, "paths": paths})
    assert evaluate_stage(scored, encoder=encoder).outputs == evaluate_stage(item("de")).outputs


def test_a_name_longer_than_forty_characters_is_cut_and_still_told_apart() -> None:
    long = [replace(NLI, trained_as="x" * 50 + end) for end in "ab"]
    first, second = (train_stage(part(task)).stage_id for task in long)
    assert first != second and len(first) == len("train-") + 40 + 1 + 12


def test_what_a_training_is_scored_by_is_no_identity_of_it() -> None:
    other_test = SplitRef(dataset="other", split="test")
    for task in (
        replace(NLI, name="another"),
        replace(NLI, metric="span_f1"),
        replace(NLI, test=other_test, dev=other_test, group="g", description="d", on_overlap="exclude"),
    ):
        assert train_stage(part(task)).stage_id == train_stage().stage_id
    for task in (replace(NLI, trained_as="snli"), replace(NLI, labels=("no", "yes"))):
        assert train_stage(part(task)).stage_id != train_stage().stage_id


def test_selection_data_are_identity_only_where_a_stage_looks_at_them() -> None:
    never, looks = TrainConfig(steps=4), TrainConfig(steps=4, evaluate_every=2)
    with_dev, without = part(), part(select=())
    assert train_stage(with_dev, config=never).stage_id == train_stage(without, config=never).stage_id
    assert train_stage(with_dev, config=looks).stage_id != train_stage(without, config=looks).stage_id


# --- each identity field does enter it ---

TRAIN_CONFIG_CHANGES: dict[str, Any] = {
    "steps": 101,
    "learning_rate": 3e-5,
    "warmup_frac": 0.2,
    "weight_decay": 0.1,
    "adam_beta1": 0.8,
    "adam_beta2": 0.99,
    "adam_epsilon": 1e-6,
    "clip_norm": 2.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "precision": Precision.BF16,
    "evaluate_every": 10,
    "adapter": AdapterConfig(rank=4, modules=("query",)),
}


def test_every_field_of_the_training_is_tried() -> None:
    assert set(TRAIN_CONFIG_CHANGES) | {"keep"} == set(TrainConfig.__dataclass_fields__)


@pytest.mark.parametrize("field", TRAIN_CONFIG_CHANGES)
def test_each_field_of_the_training_changes_the_id(field: str) -> None:
    stage = train_stage()
    assert stage_with(stage, **{field: TRAIN_CONFIG_CHANGES[field]}).stage_id != stage.stage_id


def test_which_checkpoint_is_kept_changes_the_id() -> None:
    evaluated = stage_with(train_stage(), evaluate_every=10)
    assert stage_with(evaluated, keep=Keep.BEST).stage_id != evaluated.stage_id


def test_what_a_threshold_is_chosen_on_names_an_evaluation_and_only_there() -> None:
    answerable = replace(NLI, kind=SPAN_QA, labels=())
    select, report = item("en", Use.SELECT), item("de")
    for metric, is_identity in (("squad", False), ("mlqa", False), ("squad_v2", True)):
        task = replace(answerable, metric=metric)
        whole = evaluate_stage(select, report, task=task)
        for other in ((item("en", Use.SELECT, limit=5), report), (report,)):
            assert (evaluate_stage(*other, task=task).stage_id != whole.stage_id) == is_identity
        more = (select, item("sw", Use.SELECT), report, item("sw"))
        assert evaluate_stage(*more, task=task).stage_id == whole.stage_id, "English alone chooses"
        assert ("threshold" in whole.payload) == is_identity


VIEW_CHANGES: dict[str, Any] = {
    "dataset": "snli",
    "split": "dev",
    "language": "de",
    "fingerprint": "sha256:dd",
    "reader": "csv/2",
    "options": {"header": False},
    "part": Part.REST,
    "limit": 100,
    "exclude": (view(split="test"),),
}


@pytest.mark.parametrize("field", VIEW_CHANGES)
def test_each_field_of_the_data_changes_the_id(field: str) -> None:
    changed = view(**{field: VIEW_CHANGES[field]})
    assert train_stage(part(train=(changed,))).stage_id != train_stage().stage_id
    assert changed.digest != view().digest


def test_other_identity_fields_change_the_id() -> None:
    changes = [
        train_stage(seed=8),
        train_stage(parent="train-mnli-000000000000"),
        train_stage(encoder=replace(ENCODER, fingerprint="sha256:a1")),
        train_stage(encoder=replace(ENCODER, tokenizer="sha256:b1")),
        train_stage(part(weight=0.5)),
        train_stage(part(config=TaskConfig(batch_size=64))),
        train_stage(part(config=TaskConfig(max_length=64))),
        train_stage(part(train=(view(), view(language="de")))),
        train_stage(part(NLI, 0.5), part(TAGS, 0.5)),
        train_stage(part(TAGS, 0.5), part(NLI, 0.5)),
    ]
    ids = [stage.stage_id for stage in [train_stage(), *changes]]
    assert len(set(ids)) == len(ids)


@given(st.floats(1e-7, 1.0), st.floats(1e-7, 1.0), st.integers(0, 2**40), st.integers(0, 2**40))
def test_ids_are_equal_exactly_where_values_are(rate: float, other: float, seed: int, another: int) -> None:
    first = train_stage(config=TrainConfig(steps=5, learning_rate=rate), seed=seed)
    second = train_stage(config=TrainConfig(steps=5, learning_rate=other), seed=another)
    assert (first.stage_id == second.stage_id) == (rate == other and seed == another)


# --- evaluation ---


@given(st.lists(st.sampled_from("ar de en sw th zh".split()), unique=True, min_size=1), st.sampled_from(list(Use)))
def test_a_new_language_adds_one_output_and_changes_no_other(languages: list[str], use: Use) -> None:
    few = evaluate_stage(*(item(code) for code in languages))
    more = evaluate_stage(*(item(code) for code in languages), item("qaa", use))
    assert more.stage_id == few.stage_id
    assert more.outputs[:-1] == few.outputs and len(set(more.outputs)) == len(languages) + 1
    assert more.outputs[-1].startswith(f"{few.stage_id}/{use.value}.qaa-")


def test_what_changes_an_evaluation() -> None:
    task = [replace(NLI, name="n"), replace(NLI, labels=("a", "b")), TAGS, replace(TAGS, metric="chunk_f1")]
    changes = [
        *(evaluate_stage(task=changed) for changed in task),
        evaluate_stage(parent="train-mnli-000000000001"),
        evaluate_stage(parent=None),
        evaluate_stage(precision=Precision.BF16),
        evaluate_stage(encoder=replace(ENCODER, fingerprint="sha256:a1")),
        evaluate_stage(config=TaskConfig(max_length=64)),
    ]
    ids = [stage.stage_id for stage in [evaluate_stage(), *changes]]
    assert len(set(ids)) == len(ids)
    assert evaluate_stage(config=TaskConfig(batch_size=1, layer=2)).stage_id == evaluate_stage().stage_id


# Which further settings of a task bear on its weights, and which on its scores.
FIELDS: dict[str, Any] = {
    "doc_stride": 5,
    "max_answer_tokens": 5,
    "mask_frac": 0.4,
    "layer": 3,
    "temperature": 0.7,
    "pooling": "cls",
    "direction": "to_english",
    "margin": "ratio",
    "query_length": 32,
    "candidate_length": 64,
}
TASKS = {CLASSIFICATION: NLI, TAGGING: TAGS, SPAN_QA: QA, RETRIEVAL: PAIRS, MASKED_LM: TEXT}
IN_TRAINING = {
    SPAN_QA: {"doc_stride"},
    RETRIEVAL: {"layer", "temperature", "pooling", "query_length", "candidate_length"},
    MASKED_LM: {"mask_frac"},
}
IN_SCORES = {
    SPAN_QA: {"doc_stride", "max_answer_tokens"},
    RETRIEVAL: {"layer", "pooling", "query_length", "candidate_length", "direction", "margin"},
    MASKED_LM: {"mask_frac"},
}


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_setting_changes_only_what_it_bears_on(kind: TaskKind, field: str) -> None:
    task, other = TASKS[kind], TaskConfig(**{"layer": 2, field: FIELDS[field]})
    trained = train_stage(part(task, config=other)).stage_id != train_stage(part(task)).stage_id
    scored = evaluate_stage(task=task, config=other).stage_id != evaluate_stage(task=task).stage_id
    assert trained == (field in IN_TRAINING.get(kind, set()))
    assert scored == (field in IN_SCORES.get(kind, set()))


def test_fields_that_came_later_are_named_only_where_they_say_something_new() -> None:
    usual = TaskConfig().scoring_payload(RETRIEVAL)
    assert set(usual) == {"max_length", "layer"}
    assert TaskConfig(pooling="mean", direction="from_english", margin=None).scoring_payload(RETRIEVAL) == usual


def test_pool_and_threshold_are_identity_of_what_they_decide() -> None:
    def key(**changes: Any) -> str:
        return evaluate_stage(replace(item("de"), **changes), task=PAIRS).outputs[0]

    one, other = view(language="de", split="pool"), view(language="sw", split="pool")
    keys = [key(), key(pool=(one,)), key(pool=(one, other)), key(calibration=one), key(pool=(one,), calibration=one)]
    assert len(set(keys)) == len(keys)
    assert key(pool=(), calibration=None) == key()
    assert key(pool=(replace(one, location={"root": "elsewhere"}),)) == keys[1]


@settings(max_examples=30)
@given(st.permutations(["dataset", "limit", "part", "language"]))
def test_an_id_does_not_depend_on_the_order_of_keys(order: list[str]) -> None:
    fields = {"dataset": "d", "limit": 3, "part": Part.TENTH, "language": "fi"}
    changed = view(**{name: fields[name] for name in order}, options={name: 1 for name in order})
    same = view(**fields, options=dict.fromkeys(fields, 1))
    assert changed.digest == same.digest


def stage_with(stage: TrainStage, **changes: Any) -> TrainStage:
    fields = {name: getattr(stage, name) for name in TrainStage.__dataclass_fields__}
    return TrainStage(**{**fields, "config": replace(stage.config, **changes)})


def test_both_kinds_of_stage_have_distinct_ids() -> None:
    ids = [train_stage().stage_id, evaluate_stage().stage_id, EvaluateStage.kind.value]
    assert len(set(ids)) == 3


def test_no_setting_of_the_execution_is_in_any_payload() -> None:
    execution = set(RunConfig.__dataclass_fields__)
    for stage in (train_stage(), evaluate_stage()):
        assert not execution & _keys(stage.payload)


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | set().union(*(_keys(child) for child in value.values()))
    return set().union(*(_keys(child) for child in value)) if isinstance(value, list) else set()
