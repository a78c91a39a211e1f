"""Records: written and read as frozen types; what is of another shape is a fault of that record alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import DamagedError, NewerError
from stilts.ledger.decision import (
    CellsDecision,
    Confirmation,
    Grant,
    Judged,
    ProposalRecord,
    Pruned,
    RowEnd,
    Stopped,
)
from stilts.ledger.faults import KINDS
from stilts.ledger.records import (
    CONFIRMATIONS,
    DECISIONS,
    DISJOINT,
    FAILURES,
    FERTILITY,
    GRANTS,
    JUDGED,
    PROPOSALS,
    PRUNED,
    ROW_ENDS,
    SPENDING,
    STOPPED,
    Disjoint,
    Failure,
    FertilityRecord,
    LanguageFertility,
    RecordKind,
    Spending,
)
from stilts.store import Store, make_store
from stilts.store.seal import seal

STAGE = "train-xnli-0123456789ab"
_OF_CELL: dict[str, Any] = {"row": "r", "column": "xnli", "proposal": 3, "policy": "p", "reason": "why"}
# One of each kind: the kind, the parts of its name, its value.
ONE_OF_EACH: tuple[tuple[RecordKind[Any], tuple[str, ...], Any], ...] = (
    (FAILURES, (STAGE,), Failure(stage_id=STAGE, error="e", kind="ValueError", attempts=2, time=1.5)),
    (
        PROPOSALS,
        ("s", "r", "0003"),
        ProposalRecord(row="r", number=3, params={"a": 0.1}, origin="old/0001"),
    ),
    (DECISIONS, ("s", "00012"), CellsDecision(number=12, policy="p", what="cells", replicates=("a",), reason="why")),
    (PRUNED, ("s", STAGE), Pruned(stage_id=STAGE, step=5, steps=10, score=41.5, peers={"1": 50.0}, **_OF_CELL)),
    (
        JUDGED,
        ("s", "r", "xnli", "0003", "00000005"),
        Judged(stage_id=STAGE, step=5, fraction=0.5, stop=True, score=41.5, items={"en": [1]}, **_OF_CELL),
    ),
    (GRANTS, ("s", "r", "0003"), Grant(row="r", proposal=3, seeds=1, most=3, p=None, policy="p", reason="why")),
    (CONFIRMATIONS, ("s", "r"), Confirmation(row="r", chosen={"gain": 3}, reasons={"gain": "why"})),
    (ROW_ENDS, ("s", "r"), RowEnd(row="r", budget="11 trials", reason="why")),
    (SPENDING, ("s", "1"), Spending(seconds=1.5, gpu_seconds=0.0, trials=2, busy=((1.0, 2.0),))),
    (STOPPED, ("s",), Stopped(study="s", reason="spent")),
    (
        FERTILITY,
        ("s",),
        FertilityRecord(tokenizer="t", languages={"en": LanguageFertility(tokens=3, words=2, tokens_per_word=1.5)}),
    ),
    (DISJOINT, ("0123456789ab",), Disjoint(target="xnli", languages=("en",))),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def put(store: Store, name: str, fields: dict[str, Any]) -> None:
    """Writes a record's fields as they are, under a seal that agrees."""
    path = f"records/{name}.json"
    store.backend.replace(path, seal(path, fields))


@pytest.mark.parametrize(("kind", "parts", "value"), ONE_OF_EACH)
def test_what_is_written_is_read(kind: RecordKind[Any], parts: tuple[str, ...], value: Any, store: Store) -> None:
    assert kind.read(store, *parts) is None and not kind.exists(store, *parts)
    kind.write(store, value, *parts)
    assert kind.read(store, *parts) == value and kind.exists(store, *parts)
    if kind.template.endswith("{}"):
        assert kind.all(store, *parts[:-1]).values == {parts[-1]: value}
    assert next(one for one in KINDS if one.fits(kind.name(*parts))) is kind, "mend knows it by its name"


@pytest.mark.parametrize(("kind", "parts", "value"), ONE_OF_EACH)
@pytest.mark.parametrize("wrong", ["x", 10**400, float("nan"), [[]], {"a": 1}, None, True])
def test_a_field_of_another_shape_is_damaged_and_never_a_value(
    kind: RecordKind[Any], parts: tuple[str, ...], value: Any, wrong: Any, store: Store
) -> None:
    kind.write(store, value, *parts)
    fields = store.read_record(kind.name(*parts))
    assert fields is not None
    for name in fields:
        put(store, kind.name(*parts), {**fields, name: wrong})
        try:
            found = kind.read(store, *parts)
        except DamagedError as fault:
            assert kind.name(*parts) in fault.file and "stilts mend" in str(fault)
        else:
            assert type(found) is type(value)


@pytest.mark.parametrize(("kind", "parts", "value"), ONE_OF_EACH)
def test_a_field_that_is_not_known_is_newer_and_one_that_is_gone_is_damaged(
    kind: RecordKind[Any], parts: tuple[str, ...], value: Any, store: Store
) -> None:
    kind.write(store, value, *parts)
    fields = store.read_record(kind.name(*parts)) or {}
    put(store, kind.name(*parts), {**fields, "invented": 1})
    with pytest.raises(NewerError, match=r"newer than this stilts.*invented"):
        kind.read(store, *parts)
    put(store, kind.name(*parts), {})
    with pytest.raises(DamagedError):
        kind.read(store, *parts)


@pytest.mark.parametrize(("kind", "parts", "value"), [one for one in ONE_OF_EACH if one[0].parts is not None])
def test_a_record_that_says_that_it_is_another_is_damaged(
    kind: RecordKind[Any], parts: tuple[str, ...], value: Any, store: Store
) -> None:
    swapped = parts[-1].replace("3", "4").replace("2", "4").replace("5", "4").replace("r", "q")
    other = swapped if parts[-1] != STAGE else "train-x-0"
    kind.write(store, value, *parts[:-1], other)
    with pytest.raises(DamagedError, match="which is not its name"):
        kind.read(store, *parts[:-1], other)


def test_one_damaged_record_is_no_matter_of_the_others(store: Store) -> None:
    for number in range(3):
        PROPOSALS.write(store, ProposalRecord(number=number, params={}), "s", "r", f"{number:04d}")
    store.backend.replace("records/studies/s/proposals/r/0001.json", b"{torn")
    shelf = PROPOSALS.all(store, "s", "r")
    assert list(shelf.values) == ["0000", "0002"] and list(shelf.faults) == ["0001"]
    assert isinstance(shelf.faults["0001"], DamagedError) and shelf.faults["0001"].study == "s"
    with pytest.raises(DamagedError, match="stilts mend s"):
        shelf.all_good()


def test_json_nested_without_end_is_a_fault_of_that_record(store: Store) -> None:
    body = b'{"number":0,"params":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
    store.backend.replace("records/studies/s/proposals/r/0000.json", body)
    assert list(PROPOSALS.all(store, "s", "r").faults) == ["0000"]


def test_a_record_of_too_many_bytes_is_not_parsed(store: Store) -> None:
    path = Path(store.url) / "records" / "studies" / "s" / "stopped.json"
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(DamagedError, match="more than the"):
        STOPPED.read(store, "s")


def test_strays_among_records_are_passed_over(store: Store) -> None:
    PROPOSALS.write(store, ProposalRecord(number=0, params={}), "s", "r", "0000")
    folder = Path(store.url) / "records" / "studies" / "s" / "proposals" / "r"
    for name in (".DS_Store", "0000.json~", "notes", "a b.json"):
        (folder / name).write_text(json.dumps({"number": 9}))
    assert PROPOSALS.own_names(store, "s", "r") == ["0000"]
