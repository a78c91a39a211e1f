"""Study files: what is read from a good one, and that a bad one is always one InputError that names the file."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stilts.app.workspace import assemble
from stilts.errors import InputError, StudyError
from stilts.study.planning import make_plan
from stilts.study.schema import StudyFile
from stilts.study.schema_part import SchemaPart
from stilts.study.settings import search_space
from stilts.study.study import Study
from stilts.tasks.view import DataView
from tests.study.toy_study import parsed, study_fields

TRAIN = {
    "steps": 20,
    "learning_rate": 1e-4,
    "warmup_frac": 0.1,
    "weight_decay": 0.01,
    "adam_beta1": 0.9,
    "adam_beta2": 0.98,
    "adam_epsilon": 1e-6,
    "clip_norm": 1.0,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "precision": "fp32",
    "keep": "best",
    "evaluate_every": 5,
    "limit": 100,
}
ENCODING = {
    "batch_size": 8,
    "max_length": 96,
    "doc_stride": 32,
    "max_answer_tokens": 20,
    "mask_frac": 0.15,
    "layer": 2,
    "temperature": 0.1,
    "pooling": "max",
    "direction": "to_english",
    "margin": "ratio",
    "query_length": 32,
    "candidate_length": 64,
}


OVER: dict[str, Any] = {"row": "nli", "over": "same", "targets": ["udpos"]}


def full_study() -> dict[str, Any]:
    """A valid study in which every field of the schema stands somewhere (but those that exclude each other)."""
    low_high = {"low": 1e-5, "high": 1e-3, "log": True}
    return {
        "robustness": [
            {"perturb": "code_switch", "strength": 0.3, "seed": 1, "dictionary": "translation", "targets": ["udpos"]},
            {"attack": "characters", "queries": 50, "limit": 20},
        ],
        "name": "full",
        "question": "Does it hold?",
        "encoder": {"path": "tiny"},
        "data": {"source": "toy", "root": ".", "text_root": ".", "sources": {"mlqa": "toy"}},
        "tasks": "tasks.yaml",
        "selection": "english_dev",
        "seed": 3,
        "defaults": {
            "intermediate": {**TRAIN, "adapter": {"rank": 4, "alpha": 8, "dropout": 0.1, "modules": ["key"]}},
            "target": {**TRAIN, "adapter": {"rank": 2}, "parent_adapter": "stack"},
            "encoding": ENCODING,
            "kinds": {"span_qa": {"doc_stride": 16}},
            "limits": {"select": 50, "report": 60},
            "match_size": "none",
        },
        "intermediates": {
            "none": None,
            "nli": {"task": "mnli", "train": {"epochs": 0.5, "limit": 40}, "encoding": ENCODING},
            "same": {"task": "hellaswag", "match_size": 30, "control": "shuffled_labels"},
            "sum": {"merge": {"nli": 0.5, "same": 0.5}},
            "summed": {"search": {"merge": ["nli", "same"], "merge_scale": {"low": 0.5, "high": 2.0}, "proposals": 2}},
            "both": {"mixture": {"mnli": 0.5, "hellaswag": 0.5}, "train": TRAIN},
            "found": {
                "search": {
                    "learning_rate": low_high,
                    "steps": {"low": 10, "high": 40},
                    "warmup_frac": {"low": 0.01, "high": 0.2},
                    "target_learning_rate": low_high,
                    "weights": ["mnli", "squad"],
                    "adapter_rank": {"choices": [2, 4]},
                    "adapter_alpha": {"low": 4, "high": 16},
                    "target_adapter_rank": {"choices": [2, 4]},
                    "target_adapter_alpha": {"low": 4, "high": 16},
                    "proposals": 4,
                    "confirm": False,
                    "sampler": "tpe",
                    "seeds": 2,
                    "racing": {"policy": "wilcoxon", "alpha": 0.1},
                }
            },
            "by_size": {"sampling": {"tasks": ["mnli", "squad"], "temperature": 2.0, "cap": 100}},
            "sampled": {
                "search": {
                    "sampling": {
                        "tasks": ["mnli", "squad"],
                        "temperature": {"low": 1.0, "high": 5.0},
                        "cap": {"choices": [50, 100]},
                    },
                    "epochs": {"low": 0.5, "high": 2.0},
                    "batch_size": {"choices": [4, 8]},
                    "target_steps": {"low": 5, "high": 20},
                    "target_warmup_frac": {"choices": [0.0, 0.1]},
                    "target_batch_size": {"low": 4, "high": 8},
                    "when": {"cap": {"temperature": {"low": 1.0, "high": 2.0}}, "epochs": {"batch_size": [4]}},
                    "baselines": ["proportional", "single"],
                    "proposals": 2,
                    "objective": ["udpos", "nli"],
                    "start_from": "earlier",
                    "seeds": 2,
                    "racing": {"policy": "wilcoxon", "alpha": 0.1},
                }
            },
            "chosen": {
                "search": {
                    "subset": {"tasks": ["mnli", "squad"], "count": {"low": 1, "high": 2}, "temperature": 2.0},
                    "masked_lm": {"task": "plain", "weight": {"low": 0.0, "high": 0.3}, "languages": [["en"], ["qaa"]]},
                    "target_epochs": {"low": 0.5, "high": 2.0},
                    "adapter_dropout": {"low": 0.0, "high": 0.3},
                    "target_adapter_dropout": {"low": 0.0, "high": 0.3},
                    "proposals": 2,
                }
            },
            "mnli": {"masked_lm": {"task": "plain", "weight": 0.1, "languages": ["en"]}, "resources": {"gpus": 4}},
        },
        "targets": {
            "udpos": {"languages": ["en", "qaa"], "train": TRAIN, "encoding": ENCODING, "limits": {"report": 30}},
            "nli": {"task": "xnli", "resources": {"cpus": 2}},
            "tatoeba": None,
        },
        "replicates": {
            "default": {"count": 2},
            "cells": [{"rows": ["nli"], "columns": ["udpos"], "intermediate_seeds": 2, "target_seeds": 2}],
        },
        "policy": {
            "name": "select",
            "budget": {"gpu_hours": 9.0, "stage_hours": 9.0, "hours": 9.0, "trials": 900, "grids": 2.0},
            "priors": ["smaller"],
        },
        "pruning": {
            "policy": "wilcoxon",
            "at_fracs": [0.25, 0.5],
            "min_recipes": 4,
            "alpha": 0.1,
            "min_items": 20,
        },
        "estimates": ["logme", "h_score", "embedding", "probe", "text_overlap", "size"],
        "resources": {
            "cpus": 1,
            "gpus": 0,
            "train": {"cpus": 2, "gpus": 1},
            "evaluate": {"cpus": 1, "gpus": 0.5},
            "estimate": {"cpus": 1, "gpus": 0},
            "max_concurrent": 2,
            "silent_s": 600.0,
            "micro_batch": 4,
            "gradient_checkpointing": True,
        },
        "gpu_hour_price": 1.5,
        "claims": [
            {
                "name": "a",
                "text": "t",
                "gain": {"row": "nli", "over": "same", "targets": ["udpos"], "languages": ["en"]},
            },
            {"name": "b", "difference": {**OVER, "group": "family:Turkic", "against": ["family:Uralic"]}, "above": 1.0},
            {"name": "c", "trend": {**OVER, "along": "distance", "source": "tr"}, "below": 0.0},
            {"name": "d", "drop": {**OVER, "under": "code_switch", "targets": ["udpos"], "languages": ["en"]}},
        ],
        "published": [
            {
                "source": "somebody",
                "gains": {"nli": 1.0},
                "best": 2.0,
                "none": 50.0,
                "targets": ["udpos"],
                "theirs": ["steps"],
                "unknown": ["seeds"],
            }
        ],
    }


@pytest.fixture(scope="module")
def place(folder: Path) -> Path:
    (folder / "tasks.yaml").write_text("datasets: {}\ntasks: {}\n")
    return folder


_COUNTS: dict[tuple[str, ...], int] = {}


def planned(text: str, path: Path) -> None:
    """As much of a run as happens before anything is executed; equal data are counted once for all tests."""
    workspace = assemble(Study.parse(text, path))
    count = workspace.resolved.count_examples

    def counted(views: Sequence[DataView]) -> int:
        key = tuple(view.digest for view in views)
        if key not in _COUNTS:
            _COUNTS[key] = count(views)
        return _COUNTS[key]

    resolved = replace(workspace.resolved, count_examples=counted)
    make_plan(resolved)
    for row in workspace.study.rows.values():
        if row.search is not None:
            search_space(row.search)


def refused(text: str, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        planned(text, path)
    message = str(caught.value)
    assert caught.value.exit_code == 2 and path.name in message and "\n" not in message.strip()
    return message


def test_the_full_study_uses_every_field_of_the_schema(place: Path) -> None:
    planned(json.dumps(full_study()), place / "full.yaml")
    used: dict[type[SchemaPart], set[str]] = {}
    _collect(Study.parse(json.dumps(full_study()), place / "full.yaml").file, used)
    unused = {(kind.__name__, name) for kind, names in used.items() for name in set(kind.model_fields) - names}
    # Of these, a study can give only one of several.
    assert unused <= {("Encoder", "hub"), ("Encoder", "revision"), ("Encoder", "toy"), ("Intermediate", "train")} | {
        ("Train", "epochs"),
        ("Seeds", "intermediate_seeds"),
        ("Seeds", "target_seeds"),
        ("CellSeeds", "count"),
        ("Pruning", "keep_frac"),
        ("StudyResources", "max_gpus"),
    }


def _collect(value: Any, used: dict[type[SchemaPart], set[str]]) -> None:
    if isinstance(value, SchemaPart):
        used.setdefault(type(value), set()).update(value.model_fields_set)
        for name in type(value).model_fields:
            _collect(getattr(value, name), used)
    elif isinstance(value, dict):
        for child in value.values():
            _collect(child, used)
    elif isinstance(value, tuple):
        for child in value:
            _collect(child, used)


def test_what_is_written_is_what_is_read(place: Path) -> None:
    study = Study.parse(json.dumps(full_study()), place / "full.yaml")
    written = study.file.model_dump(mode="json", exclude_unset=True)
    assert written == full_study()
    assert StudyFile.model_validate(written) == study.file
    path = place / "written.yaml"
    path.write_text(json.dumps(full_study()))
    assert Study.load(path).file == study.file and Study.load(path).text == path.read_text()
    assert next(iter(study.rows)) == "none"


# --- every field, nested ones too, made wrong ---


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree of mappings and lists, the root left out."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*at, key)
        yield from paths(child, (*at, key))


def parent_of(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree


PATHS = list(paths(full_study()))
KEYS = st.text(max_size=6) | st.sampled_from(["name", "steps", "task", "low", "count", "rows", "path", "hub", "toy"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 2, 3, 2**31, 2**63, 10**30])
    | st.sampled_from([-1.0, -0.0, 0.1, 0.5, 1.0, 1.5, 1e-300, 1e308, float("nan"), float("inf"), float("-inf")])
    | st.text(max_size=8)
    | st.sampled_from("xnli mnli squad udpos tatoeba none nli qaa de toy files fp32 best .. ~ / a".split())
    | st.sampled_from(["x" * 300, "x" * 5000, "tiny/../tiny", "\x00", "\t", "/dev/null", "n\n", "a/" * 200])
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=5
)


def accepted_or_refused(tree: Any, place: Path) -> None:
    path = place / "fuzzed.yaml"
    try:
        planned(json.dumps(tree), path)
    except InputError as error:
        assert error.exit_code == 2
        assert path.name in str(error), f"does not name the file: {error}"


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that is never there: nothing here may wait for a network."""
    from huggingface_hub import HfApi

    def away(*args: object, **options: object) -> None:
        raise ConnectionError("no network in tests")

    for name in ("model_info", "dataset_info", "repo_info"):
        monkeypatch.setattr(HfApi, name, away)


FUZZING = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
@FUZZING
@given(data=st.data())
def test_any_value_at_any_place_is_read_or_refused(path: tuple[Any, ...], place: Path, data: st.DataObject) -> None:
    tree = copy.deepcopy(full_study())
    parent_of(tree, path)[path[-1]] = data.draw(JUNK)
    accepted_or_refused(tree, place)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_any_place_left_out_is_read_or_refused(path: tuple[Any, ...], place: Path) -> None:
    tree = copy.deepcopy(full_study())
    del parent_of(tree, path)[path[-1]]
    accepted_or_refused(tree, place)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_several_changes_at_once_are_read_or_refused(place: Path, data: st.DataObject) -> None:
    tree = copy.deepcopy(full_study())
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(list(paths(tree)) or [()]))
        if not path:
            break
        parent = parent_of(tree, path)
        match data.draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                parent[path[-1]] = data.draw(JUNK)
            case "delete":
                del parent[path[-1]]
            case _ if isinstance(parent, dict):
                parent[data.draw(KEYS)] = data.draw(JUNK)
            case _:
                parent.append(data.draw(JUNK))
    accepted_or_refused(tree, place)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60) | st.text(alphabet="{}[]:-#&*!|>'\"%@`, \n\tax1.~?<=", max_size=40))
def test_any_text_is_read_or_refused(place: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"fuzzed\.yaml"):
        Study.parse(text, place / "fuzzed.yaml")


# --- what people do write ---


def searching(**search: Any) -> dict[str, Any]:
    return {"intermediates": {"mnli": {"search": {"proposals": 2, **search}}}}


NUMBER = {"low": 0.1, "high": 0.2}
MIXED = {"tasks": ["mnli", "squad"]}
SEARCHES: list[tuple[dict[str, Any], str]] = [
    (searching(), "at least one thing"),
    (searching(sampling=MIXED), "at least one thing"),
    (searching(warmup_frac={"low": 0.1}), "warmup_frac"),
    (searching(warmup_frac={**NUMBER, "choices": [0.1, 0.2]}), "low and high, or choices"),
    (searching(warmup_frac={"choices": [0.1, 0.1]}), "twice"),
    (searching(learning_rate={"low": 0.0, "high": 0.1}), "above 0"),
    (searching(steps={"choices": [1.5, 3]}), "whole number"),
    (searching(batch_size={"low": 4, "high": 10**6}), "65536"),
    (searching(steps={"low": 1, "high": 9}, epochs=NUMBER), "steps or epochs, not both"),
    (searching(weights=["mnli", "squad"], subset={**MIXED, "count": 1}), "one of weights, sampling and subset"),
    (searching(subset={**MIXED, "count": 3}), "of 2 tasks"),
    (searching(subset={**MIXED, "count": 2}), "nothing to choose"),
    (searching(sampling={**MIXED, "temperature": {"low": 1, "high": "5"}}), "sampling.temperature.range.high"),
    (searching(sampling={**MIXED, "temperature": 0}), "sampling.temperature.number"),
    (searching(masked_lm={"task": "plain", "weight": {"low": 0.0, "high": 0.335}}), "multiple of 0.01"),
    (searching(masked_lm={"task": "plain", "weight": {"low": 0.0, "high": 0.3}, "languages": ["xx"]}), 'language "xx"'),
    (searching(masked_lm={"task": "squad", "weight": {"low": 0.0, "high": 0.3}}), "span_qa"),
    (searching(masked_lm={"task": "mnli", "weight": {"low": 0.0, "high": 0.3}}), "already a task of the row"),
    (searching(warmup_frac=NUMBER, when={"steps": {"warmup_frac": NUMBER}}), "when names steps"),
    (searching(warmup_frac=NUMBER, when={"warmup_frac": {"step": [1]}}), "looks at step"),
    (searching(warmup_frac=NUMBER, when={"warmup_frac": {"warmup_frac": NUMBER}}), "circle"),
    (
        searching(warmup_frac=NUMBER, epochs=NUMBER, when={"warmup_frac": {"epochs": {"low": 1, "high": 2}}}),
        "can never hold",
    ),
    (searching(warmup_frac=NUMBER, epochs=NUMBER, when={"warmup_frac": {"epochs": [0.1]}}), "continuous range"),
    (searching(warmup_frac=NUMBER, racing={"alpha": 0.1}), "under none nothing looks at alpha: it takes no options"),
    (searching(subset={**MIXED, "count": 1, "temperature": 2.0}), "nothing looks at temperature"),
    (searching(sampling={**MIXED, "temperature": "uniform", "cap": NUMBER}), "nothing looks at cap"),
    (searching(warmup_frac=NUMBER, baselines=True), "baselines belong to a searched mixture"),
    (
        {"intermediates": {"none": {"search": {"proposals": 2, "batch_size": {"choices": [2, 4]}}}}},
        "intermediates.none",
    ),
    (
        {
            "intermediates": {
                "mix": {"search": {"proposals": 2, "weights": ["mnli", "squad"], "baselines": True}},
                "mix-uniform": {"task": "mnli"},
            }
        },
        'the row "mix-uniform" is already there',
    ),
    (
        {"intermediates": {"a": {"sampling": MIXED, "search": {"proposals": 2, "weights": ["mnli", "squad"]}}}},
        "give one of task, mixture, sampling",
    ),
]


def test_a_key_that_stands_twice_is_refused_with_its_line(place: Path) -> None:
    message = refused("name: a\nseed: 1\nname: b\n", place / "twice.yaml")
    assert "line 3" in message and "name" in message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"targetz": {}}, "targetz"),
        ({"defaults": {"target": {"step": 3}}}, "defaults.target.step"),
        ({"intermediates": {"xnil": None}}, 'task "xnil"'),
        ({"intermediates": {"mix": {"mixture": {"mnli": 0.5, "squadd": 0.5}}}}, 'Did you mean "squad"'),
        ({"intermediates": {"mnli": {"search": {"weights": ["mnli", "sqaud"], "proposals": 2}}}}, "sqaud"),
        ({"targets": {"udpoz": None}}, 'Did you mean "udpos"'),
        ({"targets": {"mnli": None}}, "no evaluation data"),
        ({"intermediates": {"tatoeba": None}}, "no training data"),
        ({"targets": {"udpos": {"languages": ["en", "xx"]}}}, 'language "xx"'),
        ({"targets": {"udpos": {"languages": ["en", "en"]}}}, "names one twice"),
        ({"data": {"source": "files", "root": "nowhere"}}, "nowhere"),
        ({"data": {"source": "toy", "sources": {"udposs": "files"}, "root": "."}}, "udposs"),
        ({"encoder": {"path": "nobody"}}, "nobody"),
        ({"encoder": {"path": "x" * 500}}, "encoder"),
        ({"data": {"source": "files", "root": "x" * 500}}, "data.root"),
        ({"encoder": {"path": "tiny", "toy": True}}, "exactly one"),
        ({"encoder": {"hub": "some/encoder"}}, "hub"),
        ({"defaults": {"encoding": {"max_length": 500}, "target": {"steps": 1}, "intermediate": {"steps": 1}}}, "500"),
        ({"targets": {"tatoeba": {"encoding": {"layer": 5}}}}, "targets.tatoeba.encoding.layer"),
        ({"intermediates": {"mix": {"mixture": {"mnli": 0.5, "squad": 0.4}}}}, "sum to 0.9"),
        ({"intermediates": {"none": {"task": "mnli"}}}, "intermediates.none"),
        ({"seed": float("nan")}, "seed"),
        ({"defaults": {"target": {"learning_rate": float("nan")}}}, "learning_rate"),
        ({"defaults": {"target": {"steps": "100"}}}, "steps"),
        ({"defaults": {"target": {"steps": 2, "epochs": 2}}}, "steps or epochs"),
        ({"defaults": {"encoding": {"max_length": 96}}}, "neither steps nor epochs"),
        (
            {
                "defaults": {
                    "target": {"steps": 2, "keep": "best"},
                    "intermediate": {"steps": 2},
                    "encoding": {"max_length": 96},
                }
            },
            "evaluate_every",
        ),
        ({"replicates": {"cells": [{"count": 1, "rows": ["mnlii"]}]}}, 'row "mnlii"'),
        ({"replicates": {"default": {"intermediate_seeds": 2}}}, "both intermediate_seeds and target_seeds"),
        ({"intermediates": {"mnli": {"search": {"steps": {"low": 0.1, "high": 0.2}, "proposals": 2}}}}, "steps"),
        *((searched, says) for searched, says in SEARCHES),
        ({"pruning": {"keep_frac": 0.5}}, "pruning: under none nothing looks at keep_frac: it takes no options"),
        ({"pruning": {"policy": "median", "alpha": 0.1, "min_items": 9}}, "nothing looks at alpha, min_items"),
        ({"pruning": {"policy": "successive_halving", "min_items": 9}}, "it takes keep_frac, at_fracs, min_recipes"),
        ({"pruning": {"policy": "wilcoxon", "keep_frac": 0.5}}, "under wilcoxon nothing looks at keep_frac"),
        ({"resources": {"max_gpus": 2}}, "give gpus too"),
        ({"resources": {"gpus": 4, "max_gpus": 2}}, "below the 4 GPUs"),
        ({"resources": {"gpus": 1.5}}, "1.5 is neither"),
        ({"resources": {"gpus": 1, "max_gpus": 2, "train": {"gpus": 4}}}, "below the 4 GPUs"),
        ({"resources": {"evaluate": {"gpus": 1.5}}}, "resources.evaluate: a stage holds a part of one GPU"),
        ({"resources": {"evaluate": {"max_gpus": 1}}}, "resources.evaluate.max_gpus"),
        (
            {"resources": {"gpus": 1, "max_gpus": 2}, "targets": {"udpos": {"resources": {"gpus": 8}}}},
            "below the 8 GPUs",
        ),
        ({"intermediates": {"a": {"sampling": {**MIXED, "temperature": "uniform", "cap": 9}}}}, "nothing looks at cap"),
        ({"search": {"policy": "select"}}, 'search: it is called "policy" now: write policy: {name: select'),
        ({"policy": {"policy": "select"}}, 'policy.policy: it is called "name" here'),
        ({"policy": {"priors": ["smaller"]}}, "policy: priors belong to a selecting policy"),
        ({"policy": "random"}, "policy.name: Input should be 'grid' or 'select'"),
        ({"policy": 3}, "policy: it should hold names with values below them"),
        ({"tasks": "missing.yaml"}, "missing.yaml"),
        ({"tasks": "broken.yaml"}, "broken.yaml"),
        ({"selection": "test"}, "selection"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(changes: dict[str, Any], says: str, place: Path) -> None:
    (place / "broken.yaml").write_text("tasks: [")
    assert says in refused(json.dumps(study_fields(**changes)), place / "bad.yaml")


def test_a_policy_may_be_its_name_alone(place: Path) -> None:
    short, long = (
        Study.parse(json.dumps(study_fields(policy=policy)), place / "study.yaml").file.policy
        for policy in ("select", {"name": "select"})
    )
    assert short == long and short.given() == {"name": "select"}


def test_choosing_the_best_checkpoint_needs_something_to_choose_by(place: Path) -> None:
    best = {"steps": 4, "evaluate_every": 2, "keep": "best"}
    defaults = {"intermediate": best, "target": {"steps": 4}, "encoding": {"max_length": 96}}
    text = json.dumps(study_fields(intermediates={"plain": None}, defaults=defaults))
    assert "intermediates.plain" in refused(text, place / "bad.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name:\tx\n\tencoder: 1\n", "line"),
        ("- a\n- b\n", "mapping"),
        ("just words", "mapping"),
        ("", "mapping"),
        ("name: !!python/object:os.system x", ""),
        ("name: &a [*a]\n", "name"),
        ("name: 0x" + "f" * 6000, "name"),
        ("name: 2001-99-99", ""),
        ("? [a, b]\n: 1", ""),
        ("{" * 1500, ""),
    ],
)
def test_what_is_no_study_is_refused(text: str, says: str, place: Path) -> None:
    assert says in refused(text, place / "bad.yaml")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\xff", b"\xff\xfe\x00", b"name: \x00"])
def test_a_binary_file_is_refused(data: bytes, place: Path) -> None:
    path = place / "picture.yaml"
    path.write_bytes(data)
    with pytest.raises(StudyError, match=r"picture\.yaml"):
        Study.load(path)


@pytest.mark.parametrize("name", ["not_there.yaml", "tiny", "x" * 500])
def test_a_file_that_cannot_be_opened_is_refused(name: str, place: Path) -> None:
    with pytest.raises(StudyError, match=name):
        Study.load(place / name)


def test_a_study_may_be_read_from_a_working_folder(folder: Path) -> None:
    study = parsed(folder)
    assert study.folder == folder and list(study.rows) == ["none", "mnli", "hellaswag"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("objective", [], "objective: it should list at least 1, found []"),
        ("objective", ["udpos", "a b"], "objective.1: String should match"),
        ("baselines", ["single", "best"], "baselines.1: Input should be 'proportional'"),
        ("weights", ["mnli"], "weights: it should list at least 2, found ['mnli']"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_file(place: Path, field: str, value: Any, said: str) -> None:
    study = full_study()
    study["intermediates"]["found"]["search"][field] = value
    assert said in refused(json.dumps(study), place / "full.yaml")
