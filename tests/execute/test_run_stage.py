"""run_stage: does what is missing and nothing else, leaves reasons where it fails, and needs no cluster."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from stilts.errors import InputError, TransferError
from stilts.execute import run_evaluate
from stilts.execute import run_stage as run_stage_module
from stilts.execute.run_stage import run_stage
from stilts.ledger.examples import EXAMPLES_FILE
from stilts.ledger.records import FAILURES
from stilts.ledger.summary import SUMMARIES
from stilts.metrics.item_scores import digest_of_items
from stilts.metrics.metric import metric
from stilts.models.device_memory import give_back_host
from stilts.models.transfer import read_tensors, write_tensors
from stilts.store import Store, make_store
from stilts.study.controls import controlled
from stilts.study.matching import seeded
from stilts.study.stage import TrainStage
from stilts.tasks.registry import default_registry
from stilts.tasks.weight_files import ENCODER_FILE
from stilts.training.selection import score_view
from tests.training.recording_reporter import RecordingReporter
from tests.training.tiny import evaluate_stage, part, run_config, train_stage


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture
def optimizer_steps() -> Iterator[list[int]]:
    """Grows by one with every step of every optimizer of this process, whoever takes it."""
    counted: list[int] = []
    handle = register_optimizer_step_post_hook(lambda *_: counted.append(1))
    yield counted
    handle.remove()


def trained(tiny_encoder: Path, store: Store, name: str = "udpos", **config: Any) -> TrainStage:
    stage = train_stage(tiny_encoder, part(name, limit=32), steps=4, **config)
    run_stage(stage, store, run_config(tiny_encoder))
    return stage


# --- controls ---


@pytest.mark.parametrize("control", ["shuffled_labels", "texts_only"])
def test_a_control_is_trained_and_publishes_an_encoder(control: str, tiny_encoder: Path, store: Store) -> None:
    controlled_part = seeded(controlled(part("udpos", limit=32), control, default_registry()), 1)
    stage = train_stage(tiny_encoder, controlled_part, steps=4)
    run_stage(stage, store, run_config(tiny_encoder))
    plain = trained(tiny_encoder, store)
    own, other = (read_tensors(store.fetch(one.stage_id) / ENCODER_FILE) for one in (stage, plain))
    assert own.keys() == other.keys() and any(not torch.equal(own[name], other[name]) for name in own)
    assert (store.fetch(stage.stage_id) / "head.udpos.safetensors").exists() == (control == "shuffled_labels")


# --- a warm process keeps little ---


@pytest.mark.parametrize("fails", [False, True])
def test_a_stage_gives_memory_back_whatever_became_of_it(
    fails: bool, tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(run_stage_module, "forget_examples", lambda: given.append("examples"))
    monkeypatch.setattr(run_stage_module, "give_back_host", lambda: given.append("memory"))
    if fails:
        monkeypatch.setattr(run_stage_module, "run_train", lambda *_: 1 / 0)
    stage = train_stage(tiny_encoder, part("udpos", limit=32), steps=1)
    with pytest.raises(ZeroDivisionError) if fails else contextlib.nullcontext():
        run_stage(stage, store, run_config(tiny_encoder))
    assert given == ["examples", "memory"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give memory back themselves")
def test_what_was_freed_is_given_back() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    held = [torch.ones(2**14) for _ in range(2000)]  # 64 KiB each: on the heap, and the last of them stays
    last, full = held[-1], resident()
    del held
    give_back_host()
    assert resident() < full - 80 * 2**20 and float(last[0]) == 1.0


# --- nothing is done twice ---


def test_a_train_stage_is_executed_once(tiny_encoder: Path, store: Store, optimizer_steps: list[int]) -> None:
    stage, run = train_stage(tiny_encoder, part("udpos", limit=32), steps=5), run_config(tiny_encoder)
    first, second = run_stage(stage, store, run), run_stage(stage, store, run)
    assert len(optimizer_steps) == 5
    assert (first.executed, second.executed) == (True, False) and second.state == "done"
    assert store.leased() == frozenset() and store.load_progress(stage.stage_id) is None


@pytest.mark.on_device
def test_what_a_train_stage_publishes(tiny_encoder: Path, store: Store) -> None:
    stage = train_stage(tiny_encoder, part("udpos", 0.5, limit=32), part("mnli", 0.5, limit=32), steps=6)
    reporter = RecordingReporter()
    run_stage(stage, store, run_config(tiny_encoder), reporter)
    files = {path.name for path in store.fetch(stage.stage_id).iterdir()}
    assert files >= {"config.json", "tokenizer.json", "encoder.safetensors", "head.udpos.safetensors"}
    assert "head.mnli.safetensors" in files
    result: dict[str, Any] = store.result(stage.stage_id)
    assert result["stage_id"] == stage.stage_id and result["steps"] == result["kept_step"] == 6
    assert result["examples"] == {"udpos": 24, "mnli": 24} and result["tokens"] > 0
    assert set(result["transfer"]["fresh"]) == {"head.udpos", "head.mnli"} and result["transfer"]["loaded"] > 0
    assert all(math.isfinite(loss) and rate > 0 for _, loss, rate in result["curve"])
    assert [step for _, step, _ in reporter.steps_seen] == [1, 2, 3, 4, 5, 6]
    assert store.payload(stage.stage_id) == stage.payload


@pytest.mark.on_device
def test_a_child_starts_from_its_parents_weights(tiny_encoder: Path, store: Store) -> None:
    parent = trained(tiny_encoder, store, "mnli")
    frozen = train_stage(tiny_encoder, part("udpos", limit=32), steps=1, learning_rate=1e-12)
    child = TrainStage(
        parent=parent.stage_id, encoder=frozen.encoder, mixture=frozen.mixture, config=frozen.config, seed=1
    )
    run_stage(child, store, run_config(tiny_encoder))
    before, after, given = (
        read_tensors(folder / name)
        for folder, name in (
            (store.fetch(parent.stage_id), "encoder.safetensors"),
            (store.fetch(child.stage_id), "encoder.safetensors"),
            (tiny_encoder, "encoder.safetensors"),
        )
    )
    name = "encoder.layer.0.attention.self.query.weight"
    torch.testing.assert_close(after[name], before[name], atol=1e-9, rtol=0)
    assert not torch.allclose(after[name], given[name], atol=1e-5)


def test_weights_that_were_dropped_are_trained_again(
    tiny_encoder: Path, store: Store, optimizer_steps: list[int]
) -> None:
    stage = trained(tiny_encoder, store)
    result = store.result(stage.stage_id)
    tensors = read_tensors(store.fetch(stage.stage_id) / "encoder.safetensors")
    store.drop_files(stage.stage_id, "no longer needed")
    optimizer_steps.clear()
    assert run_stage(stage, store, run_config(tiny_encoder)).executed and len(optimizer_steps) == 4
    again = read_tensors(store.fetch(stage.stage_id) / "encoder.safetensors")
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert store.result(stage.stage_id) == result, "the result of the first time stays"


# --- evaluation ---


@pytest.mark.on_device
def test_an_evaluation_publishes_by_language_and_a_new_one_is_the_only_one_scored(
    tiny_encoder: Path, store: Store, optimizer_steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = trained(tiny_encoder, store).stage_id
    few = evaluate_stage(tiny_encoder, "udpos", parent, "en", "qaa")
    more = evaluate_stage(tiny_encoder, "udpos", parent, "en", "qaa", "qab")
    optimizer_steps.clear()
    assert run_stage(few, store, run_config(tiny_encoder)).executed
    published = {key: store.result(key) for key in few.outputs}
    scored: list[str] = []

    def recorded(scorer: Any, task: Any, config: Any, view: Any, prepared: Any) -> Any:
        scored.append(view.language)
        return score_view(scorer, task, config, view, prepared)

    monkeypatch.setattr(run_evaluate, "score_view", recorded)
    assert run_stage(more, store, run_config(tiny_encoder)).executed
    assert scored == ["qab"] and optimizer_steps == []
    assert {key: store.result(key) for key in few.outputs} == published
    assert not run_stage(more, store, run_config(tiny_encoder)).executed and scored == ["qab"]


UNTRAINED = ("tatoeba", "masked_lm")


@pytest.mark.on_device
@pytest.mark.parametrize("name", ["udpos", "panx", "xnli", "xquad", "xcopa", *UNTRAINED])
def test_examples_add_up_to_the_result(name: str, tiny_encoder: Path, store: Store) -> None:
    learned = part("udpos" if name in UNTRAINED else name, limit=16)
    parent = train_stage(tiny_encoder, learned, steps=1)
    run_stage(parent, store, run_config(tiny_encoder))
    stage = evaluate_stage(tiny_encoder, name, parent.stage_id, "qaa", "qac", limit=12)
    run_stage(stage, store, run_config(tiny_encoder))
    measure = metric(stage.task.metric)
    for key in stage.outputs:
        result: dict[str, Any] = store.result(key)
        table = pq.read_table(store.fetch(key) / EXAMPLES_FILE)
        truths = [] if name == "masked_lm" else ["truth"]
        assert table.column_names == ["item", *measure.columns, "prediction", *truths]
        sums = {column: sum(table[column].to_pylist()) for column in measure.columns}
        assert sums == pytest.approx(result["stats"])
        assert table.num_rows == result["num_items"] == 12
        assert len(set(table["item"].to_pylist())) == 12
        assert result["score"] == pytest.approx(float(measure.score(sums)))
        assert 0.0 <= result["score"] <= 100.0 and result["parent"] == parent.stage_id


def test_a_stage_leaves_a_summary_that_a_new_language_is_added_to(tiny_encoder: Path, store: Store) -> None:
    parent = trained(tiny_encoder, store, "panx").stage_id
    few = evaluate_stage(tiny_encoder, "panx", parent, "en", limit=12)
    more = evaluate_stage(tiny_encoder, "panx", parent, "en", "qaa", limit=12)
    for stage in (few, more):
        run_stage(stage, store, run_config(tiny_encoder))
        summary = SUMMARIES.read(store, stage.stage_id)
        assert summary is not None and set(summary.outputs) == set(stage.outputs)
    for key, output in summary.outputs.items():
        table = pq.read_table(store.fetch(key) / EXAMPLES_FILE)
        assert output.score == store.result(key)["score"]
        assert output.items == digest_of_items(table["item"].to_pylist())
        values = output.values(("tp", "predicted", "gold"))
        assert values is not None
        assert values.tolist() == [list(row.values()) for row in table.select(["tp", "predicted", "gold"]).to_pylist()]


def test_the_probe_of_masked_lm_needs_the_encoders_own_head(tiny_encoder: Path, tmp_path: Path, store: Store) -> None:
    headless = tmp_path / "headless"
    headless.mkdir()
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(tiny_encoder / name, headless)
    tensors = read_tensors(tiny_encoder / "encoder.safetensors")
    write_tensors(headless / "model.safetensors", {f"roberta.{name}": tensor for name, tensor in tensors.items()})
    stage = evaluate_stage(headless, "masked_lm", None, "qaa")
    with pytest.raises(InputError, match="no masked-LM head"):
        run_stage(stage, store, run_config(headless))


@pytest.mark.on_device
def test_scores_do_not_depend_on_how_batches_are_cut(tiny_encoder: Path, tmp_path: Path, store: Store) -> None:
    parent = trained(tiny_encoder, store)
    stage = evaluate_stage(tiny_encoder, "udpos", parent.stage_id, "qaa")
    other = make_store(str(tmp_path / "other"))
    run_stage(stage, store, run_config(tiny_encoder))
    run_stage(parent, other, run_config(tiny_encoder))
    run_stage(stage, other, run_config(tiny_encoder, eval_tokens=100, cache_dir=str(tmp_path / "cache")))
    (key,) = stage.outputs
    assert store.result(key)["stats"] == other.result(key)["stats"]
    assert list((tmp_path / "cache" / "tokens").glob("*.arrow"))


def test_an_altered_token_cache_changes_no_weight(tiny_encoder: Path, tmp_path: Path) -> None:
    """All of its token ids are one value, in an Arrow file that is whole: it is made again."""
    stage = train_stage(tiny_encoder, part("udpos", limit=32), steps=4)
    config = run_config(tiny_encoder, cache_dir=str(tmp_path / "cache"))
    weights = []
    for name in ("before", "after"):
        store = make_store(str(tmp_path / name))
        run_stage(stage, store, config)
        folder = store.fetch(stage.stage_id)
        weights.append({path.name: path.read_bytes() for path in folder.glob("*.safetensors")})
        for entry in (tmp_path / "cache" / "tokens").glob("*.arrow"):
            entry.write_bytes(with_one_token(entry.read_bytes()))
    assert weights[0] and weights[0] == weights[1]


def with_one_token(data: bytes) -> bytes:
    """The Arrow file of a token cache with 7 for every token id."""
    table = pa.ipc.open_file(pa.BufferReader(data), footer_offset=len(data) - 72).read_all()
    num = len(table.column("ids.values").chunk(0).values)
    ids = pa.LargeListArray.from_arrays([0, num], pa.array([7] * num, pa.int32()))
    altered = table.set_column(table.column_names.index("ids.values"), "ids.values", ids)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, altered.schema) as writer:
        writer.write_table(altered)
    return bytes(sink.getvalue())


# --- failures ---


class Broken(RecordingReporter):
    """Fails at the second step."""

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        if step == 2:
            raise ConnectionResetError("on purpose")


def test_a_failure_is_written_down_and_forgotten_after_a_success(tiny_encoder: Path, store: Store) -> None:
    stage = train_stage(tiny_encoder, part("udpos", limit=32), steps=4)
    for attempt in (1, 2):
        with pytest.raises(ConnectionResetError):
            run_stage(stage, store, run_config(tiny_encoder), Broken())
        record = FAILURES.read(store, stage.stage_id)
        assert record is not None
        assert (record.attempts, record.kind, record.error) == (attempt, "ConnectionResetError", "on purpose")
    assert store.leased() == frozenset(), "the lease is given back"
    assert run_stage(stage, store, run_config(tiny_encoder)).state == "done"
    assert FAILURES.read(store, stage.stage_id) is None


def test_a_store_that_cannot_take_the_reason_does_not_hide_it(
    tiny_encoder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, value: object, *, create_only: bool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/store")

    monkeypatch.setattr("stilts.execute.run_stage.run_train", lambda *_: math.sqrt(-1))
    monkeypatch.setattr(store, "write_record", full)
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        run_stage(train_stage(tiny_encoder, part("udpos", limit=32), steps=4), store, run_config(tiny_encoder))


@pytest.mark.on_device
def test_an_interrupted_stage_has_a_checkpoint_of_its_last_step_and_goes_on_from_it(
    tiny_encoder: Path, store: Store, tmp_path: Path, optimizer_steps: list[int]
) -> None:
    class Interrupts(RecordingReporter):
        def progress(self, stage_id: str, step: int, steps: int) -> None:
            if step == 3:
                raise KeyboardInterrupt

    stage, run = train_stage(tiny_encoder, part("udpos", limit=32), steps=5), run_config(tiny_encoder)
    with pytest.raises(KeyboardInterrupt):
        run_stage(stage, store, run, Interrupts())
    assert store.load_progress(stage.stage_id) is not None and store.leased() == frozenset()
    run_stage(stage, store, run)
    assert len(optimizer_steps) == 5, "no step was taken twice"
    undisturbed = make_store(str(tmp_path / "other"))
    run_stage(stage, undisturbed, run)
    weights = [
        {path.name: path.read_bytes() for path in one.fetch(stage.stage_id).glob("*.safetensors")}
        for one in (store, undisturbed)
    ]
    assert weights[0] and weights[0] == weights[1]


def test_a_parent_whose_tensors_are_missing_is_refused(tiny_encoder: Path, tmp_path: Path, store: Store) -> None:
    parent = train_stage(tiny_encoder, part("mnli", limit=32), steps=1)
    elsewhere = make_store(str(tmp_path / "elsewhere"))
    run_stage(parent, elsewhere, run_config(tiny_encoder))
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in elsewhere.fetch(parent.stage_id).iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    tensors = read_tensors(broken / "encoder.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    write_tensors(broken / "encoder.safetensors", tensors)
    with store.lease(parent.stage_id) as lease:
        store.publish(parent.stage_id, broken, payload=parent.payload, result={}, lease=lease)
    tuned = train_stage(tiny_encoder, part("udpos", limit=32), steps=1)
    child = TrainStage(
        parent=parent.stage_id, encoder=tuned.encoder, mixture=tuned.mixture, config=tuned.config, seed=1
    )
    for stage in (child, evaluate_stage(tiny_encoder, "tatoeba", parent.stage_id, "qaa")):
        with pytest.raises(TransferError, match=r"1 missing: encoder\.layer\.1\.output\.dense\.weight"):
            run_stage(stage, store, run_config(tiny_encoder))
        record = FAILURES.read(store, stage.stage_id)
        assert record is not None and record.kind == "TransferError"
        assert not any(store.is_done(key) for key in stage.outputs)


def test_an_encoder_under_an_unknown_root_is_an_input_error(tiny_encoder: Path, store: Store) -> None:
    with pytest.raises(InputError, match='root "study"'):
        run_stage(train_stage(tiny_encoder), store, run_config(tiny_encoder, roots={}))


def test_a_stage_that_another_process_finished_meanwhile_is_not_run(
    tiny_encoder: Path, store: Store, optimizer_steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = trained(tiny_encoder, store)
    optimizer_steps.clear()
    asked: list[str] = []
    real = type(store).is_done

    def is_done(self: Store, key: str) -> bool:
        asked.append(key)
        return len(asked) > 1 and real(self, key)  # before the lease it was not, under the lease it is

    monkeypatch.setattr(type(store), "is_done", is_done)
    assert not run_stage(stage, store, run_config(tiny_encoder)).executed
    assert optimizer_steps == []


# --- on its own ---

ALONE = """
import sys
from importlib.machinery import ModuleSpec

class Blocked:  # libraries may ask whether they are there, as accelerate does
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name.split(".")[0] in ("ray", "mlflow", "optuna") else None

    def create_module(self, spec):
        raise ImportError(f"{spec.name} is blocked")

sys.meta_path.insert(0, Blocked())
from pathlib import Path
from stilts.execute.run_stage import run_stage
from stilts.store import make_store
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

encoder, store = Path(sys.argv[1]), make_store(sys.argv[2])
stage = train_stage(encoder, part("udpos", limit=32), steps=3)
run_stage(stage, store, run_config(encoder))
evaluation = evaluate_stage(encoder, "udpos", stage.stage_id, "en", "qaa")
run_stage(evaluation, store, run_config(encoder))
assert store.is_done(stage.stage_id) and all(store.is_done(key) for key in evaluation.outputs)
print(*store.done())
"""


def test_stages_run_without_ray_mlflow_and_optuna(tiny_encoder: Path, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", ALONE, str(tiny_encoder), str(tmp_path / "store")],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.split()) == 3


def test_a_cache_in_the_home_is_that_of_the_machine_that_runs(
    tiny_encoder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    stage = train_stage(tiny_encoder, part("udpos", limit=32), steps=1)
    run_stage(stage, store, run_config(tiny_encoder, cache_dir="~/.cache/stilts"))
    assert len(list((tmp_path / "home" / ".cache" / "stilts" / "tokens").glob("*.arrow"))) == 1
