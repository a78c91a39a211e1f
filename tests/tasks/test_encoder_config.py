"""What a config.json says is refused where no encoder can be built of it, with the field, and without building one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig
from transformers.activations import ACT2FN

from stilts.errors import EncoderError
from stilts.tasks.encoder_config import ACTIVATIONS, LONGEST_CONFIG, encoder_config, read_config_json
from stilts.tasks.families import FAMILIES

GOOD: dict[str, Any] = {
    "model_type": "xlm-roberta",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 11,
    "max_position_embeddings": 20,
    "type_vocab_size": 1,
    "pad_token_id": 1,
}
SIZES = [field for field in GOOD if field != "model_type"]


def test_sizes_that_fit_are_taken() -> None:
    config = encoder_config("x", GOOD)
    assert (config.max_length, config.shape.body_weights) == (18, 2 * (4 * 64 + 2 * 8 * 16))


@pytest.mark.parametrize("field", SIZES)
@pytest.mark.parametrize(
    "value", ["8", 8.0, True, None, 0, -1, 10**9, 10**300, -(10**300), [8], {"a": 8}, 1e300, float("nan")]
)
def test_a_size_is_a_whole_number_within_bounds(field: str, value: Any) -> None:
    with pytest.raises(EncoderError, match=rf"says {field} ") as caught:
        encoder_config("x", GOOD | {field: value})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_attention_heads", 3),
        ("num_attention_heads", 7),
        ("pad_token_id", 11),
        ("max_position_embeddings", 2),
        ("hidden_act", "evil"),
        ("hidden_act", ["gelu"]),
        ("hidden_act", "prelu"),  # it has a weight of its own, which no checkpoint of this architecture holds
        *(
            (field, v)
            for field in ("hidden_dropout_prob", "attention_probs_dropout_prob")
            for v in (1.0, -0.1, "0.1", 7)
        ),
        ("hidden_dropout_prob", float("nan")),
        *(("layer_norm_eps", v) for v in (0, -1e-5, 1.0, float("inf"), "1e-5", 10**400, None)),
        *(("initializer_range", v) for v in (-0.02, 1e300, None)),
        ("model_type", "gpt2"),
        ("model_type", ["xlm-roberta"]),
        ("model_type", None),
    ],
)
def test_a_value_that_no_encoder_has_is_named(field: str, value: Any) -> None:
    with pytest.raises(EncoderError, match=rf"config\.json says {field} "):
        encoder_config("x", GOOD | {field: value})


@pytest.mark.parametrize("field", ["hidden_size", "num_hidden_layers", "intermediate_size", "pad_token_id"])
def test_a_size_that_is_missing_is_named(field: str) -> None:
    with pytest.raises(EncoderError, match=f"no {field} in config"):
        encoder_config("x", {name: value for name, value in GOOD.items() if name != field})


@pytest.mark.parametrize("model_type", list(FAMILIES))
def test_what_is_left_out_is_what_transformers_takes(model_type: str) -> None:
    theirs = AutoConfig.for_model(model_type)
    defaults = FAMILIES[model_type].defaults
    assert defaults == {field: getattr(theirs, field) for field in defaults}
    config = encoder_config("x", {**theirs.to_dict(), "model_type": model_type})
    assert config.num_hidden_layers == theirs.num_hidden_layers


def test_activations_are_those_of_transformers_without_weights() -> None:
    with_weights = {name for name in ACT2FN if list(getattr(ACT2FN[name], "parameters", list)())}
    assert set(ACTIVATIONS) == set(ACT2FN) - with_weights


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "nested too deep"),
        (b"{" + b" " * LONGEST_CONFIG + b"}", "more than"),
        (b'{"hidden_size": ' + b"9" * 6000 + b"}", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "no JSON object"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(raw: bytes, named: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(raw)
    with pytest.raises(EncoderError, match=named) as caught:
        read_config_json("x", tmp_path / "config.json")
    assert "config.json" in str(caught.value)


def test_the_shared_encoders_are_taken(shared: Path) -> None:
    for name in ("xlmr-mini", "e5-small"):
        fields = json.loads((shared / "models" / name / "config.json").read_text())
        assert encoder_config(name, fields).vocab_size == fields["vocab_size"]
