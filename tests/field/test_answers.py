"""Questions and answers: blanks at an answer's ends, flat records, no answers, rules that go by the language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stilts.tasks.kinds.span_qa import SPAN_QA, without_blanks
from tests.field.brought import (
    brought,
    counts,
    decoded,
    question_records,
    refused,
    split_files,
    squad_document,
    taken,
    texts,
)

ASKED: dict[str, Any] = {"reader": "squad_json", "kind": "span_qa", "metric": "squad", "labels": []}


def records_in(folder: Path, written: Callable[[list[dict[str, Any]]], str], **declared: Any) -> Path:
    return brought(folder, split_files(lambda sentences: written(question_records(sentences))), **ASKED | declared)


@pytest.mark.parametrize("blank", [" ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u2009"])
@pytest.mark.parametrize("side", ["before", "after", "both"])
def test_blanks_around_an_answer_are_no_part_of_its_span(tmp_path: Path, blank: str, side: str) -> None:
    def written(sentences: list[str]) -> str:
        records = question_records(sentences)
        for record in records:
            record["context"] = record["context"].replace(" red ", f"{blank}red{blank}")
            start = record["context"].index("red")
            text = {"before": f"{blank}red", "after": f"red{blank}", "both": f"{blank}red{blank}"}[side]
            record["answers"] = [{"text": text, "answer_start": start - len(blank) * (side != "after")}]
        return squad_document(records)

    shown = decoded(taken(brought(tmp_path, split_files(written), **ASKED)))
    assert shown and all("is [[red]] in the house" in line for line in shown)


@pytest.mark.parametrize("text", [" red", "red ", "\u00a0red\u00a0", "\tred\n", "red", " a  b "])
def test_an_answers_place_moves_with_its_blanks(text: str) -> None:
    context = f"it is {text} then"
    answer, start = without_blanks(text, 6)
    assert context[start : start + len(answer)] == answer == text.strip()


FORMS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "document": squad_document,
    "list": json.dumps,
    "indented_list": lambda records: json.dumps(records, indent=2),
    "data": lambda records: json.dumps({"data": records}),
    "data_indented": lambda records: json.dumps({"version": "x", "data": records}, indent=1),
    "lines": lambda records: "".join(json.dumps(record) + "\n" for record in records),
    "lines_apart": lambda records: "\n\n".join(json.dumps(record) for record in records),
    "tables_of_answers": lambda records: "".join(
        json.dumps(record | {"answers": {"text": ["red"], "answer_start": [record["answers"][0]["answer_start"]]}})
        + "\n"
        for record in records
    ),
    "number_for_id": lambda records: json.dumps(
        [
            record | {"id": int("".join(filter(str.isdigit, record["id"]))) + 100 * ("de" in record["id"])}
            for record in records
        ]
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_flat_records_are_read_as_the_document_is(tmp_path: Path, form: str) -> None:
    value = taken(records_in(tmp_path, FORMS[form], options={"ids": "per_language"}))
    assert counts(value) == {"en": 12, "de": 12}
    assert "is [[red]] in the house" in decoded(value)[0]


def test_one_record_alone_is_one_line(tmp_path: Path) -> None:
    files = split_files(lambda sentences: FORMS["lines"](question_records(sentences)))
    files["test-de"] = FORMS["lines"](question_records(texts("test", "de", 1)))
    assert counts(taken(brought(tmp_path, files, **ASKED))) == {"en": 12, "de": 1}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"answer_start": ', '"answer_start": 1', "does not stand at character"),
        ('"answer_start": ', '"answer_start": -', "does not stand at character"),
        ('"answer_start"', '"start"', "without text and answer_start"),
        ('"text": "red"', '"text": null', "without text and answer_start"),
        ('"context"', '"passage"', "context"),
        ('"question"', '"query"', "question"),
        ('"id"', '"qid"', "id"),
    ],
)
@pytest.mark.parametrize("form", ["lines", "document"])
def test_what_a_record_lacks_is_told(tmp_path: Path, form: str, old: str, new: str, said: str) -> None:
    files = split_files(lambda sentences: FORMS[form](question_records(sentences)))
    files["test-de"] = str(files["test-de"]).replace(old, new)
    refused(brought(tmp_path, files, **ASKED), "test-de, line 1", said)


@pytest.mark.parametrize("metric", ["squad", "mlqa"])
@pytest.mark.parametrize("form", ["document", "lines", "list"])
@pytest.mark.parametrize("answers", [[], {"text": [], "answer_start": []}])
def test_questions_without_answer_need_squad_v2(tmp_path: Path, answers: Any, form: str, metric: str) -> None:
    files = split_files(lambda sentences: FORMS[form](question_records(sentences)))
    records = question_records(texts("test", "de"))
    files["test-de"] = FORMS[form](
        [record | {"answers": answers} if i < 4 else record for i, record in enumerate(records)]
    )
    study = brought(tmp_path, files, **ASKED | {"metric": metric})
    refused(study, "language de", "4 of 12 questions have no answer", "squad_v2")


def test_squad_v2_takes_questions_without_answer(tmp_path: Path) -> None:
    def written(sentences: list[str]) -> str:
        records = question_records(sentences)
        return squad_document(
            [
                record | ({"answers": [], "is_impossible": True} if i % 3 == 0 else {})
                for i, record in enumerate(records)
            ]
        )

    value = taken(brought(tmp_path, split_files(written), **ASKED | {"metric": "squad_v2"}))
    assert counts(value) == {"en": 12, "de": 12}


MLQA = SPAN_QA.scoring("mlqa").again


@pytest.mark.parametrize(
    ("codes", "truth", "said"),
    [
        # Chinese goes by characters: three of four are right.
        (("zh", "zh-Hans", "zh-Hant", "zh-CN", "zho", "cmn", "cmn-Hans-CN", "chi"), "北京市区", "北京市"),
        # German has articles that are no part of an answer.
        (("de", "de-AT", "de-CH", "deu", "ger"), "der Fluss", "ein Fluss"),
        (("es", "es-MX", "es-419", "spa"), "el río", "un río"),
        (("ar", "ar-EG", "arb", "ara"), "البيت", "بيت"),
        (("vi", "vi-VN", "vie"), "của nhà", "nhà"),
        (("en", "en-US", "eng"), "the house", "a house"),
    ],
)
def test_a_metrics_rules_go_by_the_base_language(codes: tuple[str, ...], truth: str, said: str) -> None:
    assert MLQA is not None
    rows = [MLQA([json.dumps([truth])], [said], code).tolist() for code in codes]
    assert rows == [rows[0]] * len(codes)
    other = MLQA([json.dumps([truth])], [said], "hi").tolist()
    assert rows[0] != other  # the rules of that language, not those of any


def test_one_file_has_one_score_under_two_codes() -> None:
    assert MLQA is not None
    truths = [json.dumps(["在 1990 年的北京"]), json.dumps(["红色"])]
    said = ["1990年北京", "红"]
    assert MLQA(truths, said, "zh").tolist() == MLQA(truths, said, "zh-Hans").tolist()
