from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stilts.data.readers import READERS, read_examples
from stilts.data.readers.reading import Reading
from stilts.errors import DataError
from stilts.tasks.examples import Example
from stilts.tasks.formats import FORMATS

NLI = ("entailment", "neutral", "contradiction")


def read(reader: str, *files: Path, labels: tuple[str, ...] | None = None, **options: Any) -> list[Example]:
    return list(read_examples(reader, Reading(paths=files, language="de", options=options, labels=labels)))


def write(folder: Path, text: str | bytes, name: str = "data.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def squad(context: str = "Das Haus ist alt.", **question: Any) -> str:
    asked = {"id": "q1", "question": "Was?", "answers": [{"text": "Haus", "answer_start": 4}]} | question
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [asked]}]}]}, indent=1)


def test_there_is_one_reader_per_format() -> None:
    assert set(READERS) == set(FORMATS)


def test_pairs_count_what_the_release_leaves_out(tmp_path: Path) -> None:
    reading = Reading(paths=(write(tmp_path, "a\tb\t1\nNS\tb\t0\nc\td\t0\n"),), language="de", options={"drop": "NS"})
    assert [example.item for example in read_examples("pair_tsv", reading)] == ["0", "2"]
    assert dict(reading.skipped) == {"a sentence is NS": 1}


def test_lines_end_where_files_say_and_nowhere_else(tmp_path: Path) -> None:
    examples = read("pair_tsv", write(tmp_path, "\ufeffa\u2028b\tc\x0bd\tx\r\ne\tf\tx"))
    assert [(example.text, example.text_pair) for example in examples] == [("a\u2028b", "c\x0bd"), ("e", "f")]


def test_a_repeated_item_gets_a_number(tmp_path: Path) -> None:
    row = '{"uid": "r", "context": "a", "hypothesis": "b", "label": "e"}\n'
    assert [example.item for example in read("anli_jsonl", write(tmp_path, row * 3))] == ["r", "r#2", "r#3"]


def test_conllu_tags_syntactic_words(tmp_path: Path) -> None:
    def row(number: str, form: str, upos: str) -> str:
        return "\t".join([number, form, "_", upos, *["_"] * 6])

    text = "\n".join(
        [
            "# sent_id = w01001011",
            row("1-2", "zum", "_"),
            row("1", "zu", "ADP"),
            row("2", "dem", "DET"),
            row("2.1", "null", "_"),
            row("3", "a b", "NOUN"),
            "",
            "# sent_id = s1",
            row("1", "#", "SYM"),
        ]
    )
    first, second = read("conllu", write(tmp_path, text))
    assert (first.item, first.words, first.tags) == ("w01001011", ("zu", "dem", "a b"), ("ADP", "DET", "NOUN"))
    assert (second.item, second.words) == ("de/s1", ("#",))


def test_bio_takes_a_hash_for_a_word(tmp_path: Path) -> None:
    first, second = read("bio_tsv", write(tmp_path, "#\tO\nBonn\tB-LOC\n\n\nIda\tB-PER\n"))
    assert (first.words, second.item) == (("#", "Bonn"), "de/1")


def test_squad_tells_no_answer_from_a_placeholder(tmp_path: Path) -> None:
    assert read("squad_json", write(tmp_path, squad()))[0].answers == (("Haus", 4),)
    assert read("squad_json", write(tmp_path, squad(answers=[])))[0].answers == ()
    hidden = read("squad_json", write(tmp_path, squad(answers=[{"text": "", "answer_start": 0}])), ids="per_language")
    assert hidden[0].answers is None and hidden[0].item == "de/q1"


def test_tatoeba_shares_items_of_equal_english(tmp_path: Path) -> None:
    english = write(tmp_path, "Hello.\nBye.\n", "eng")
    one = read("tatoeba", write(tmp_path, "Hallo.\nTschüss.\n", "de"), english)
    other = read("tatoeba", write(tmp_path, "Salut.\nAdieu.\n", "fr"), english)
    assert [example.item for example in one] == [example.item for example in other]
    assert (one[0].query, one[0].candidate) == ("Hello.", "Hallo.")


def test_csv_fields_may_span_lines(tmp_path: Path) -> None:
    examples = read("nli_csv", write(tmp_path, 'premise,hypothesis,label\n"a\n""b""",c,neutral\nd,e,neutral\n'))
    assert [example.text for example in examples] == ['a\n"b"', "d"]


HELLA = '{"ctx": "a", "endings": ["b", "c"], "label": 1}\n'
COSMOS = "id,context,question,answer0,answer1,label\n1,c,q,a,b,0\n"
CSQA = '{"id": "1", "question": "q", "choices": {"label": ["A", "B"], "text": ["a", "b"]}, "answerKey": "B"}\n'
COPA = '{"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": 0}\n'
UD = "1\tHaus\t_\tNOUN\t_\t_\t0\troot\t_\t_\n"

BROKEN = [
    ("pair_tsv", b"a\tb\tneutral\n\xff\tb\tneutral\n", 2, None, "not UTF-8"),
    ("pair_tsv", "a\tb\n", 1, None, "2 tab-separated columns"),
    ("pair_tsv", "a\tb\tneutral\n \tb\tneutral\n", 2, "first text", "empty"),
    ("pair_tsv", "a\tb\tneutral\na\tb\tnuetral\n", 2, "label", "nuetral"),
    ("nli_jsonl", '{"gold_label": "neutral", "sentence1": "a", "sentence2": "b"}\n{"gold_l', 2, None, "not JSON"),
    ("nli_jsonl", '{"gold_label": "neutral", "sentence1": "a"}\n', 1, "sentence2", "missing"),
    ("nli_jsonl", "[1]\n", 1, None, "JSON list"),
    ("anli_jsonl", '{"uid": "1", "context": 3, "hypothesis": "b", "label": "e"}\n', 1, "context", "int"),
    ("nli_csv", 'premise,hypothesis,label\na,b,neutral\n"c,d,neutral\n', 3, None, "broken CSV"),
    ("nli_csv", "premise,hypothesis,label\na,b\n", 2, None, "2 columns"),
    ("glue_tsv", "id\tquestion1\tquestion2\tis_duplicate\n1\ta\tb\n", 2, None, "3 columns"),
    ("conllu", UD + "2\tx\n", 2, None, "2 columns"),
    ("conllu", UD.replace("Haus", " "), 1, "FORM", "empty"),
    ("conllu", UD.replace("1\t", "one\t"), 1, "ID", "no word number"),
    ("conllu", "# sent_id = 1\n\n" + UD, 1, None, "without words"),
    ("bio_tsv", "Bonn\tB-LOC\nam\n", 2, None, "1 columns"),
    ("bio_tsv", "\tO\n", 1, "word", "empty"),
    ("squad_json", squad()[:-20], None, None, "not JSON"),
    (
        "squad_json",
        squad(answers=[{"text": "Haus", "answer_start": 5}]),
        None,
        "data[0].paragraphs[0].qas[0].answers[0].answer_start",
        "does not stand",
    ),
    ("squad_json", squad(context=""), None, "data[0].paragraphs[0].context", "empty"),
    ("squad_json", '{"data": 3}', None, "data", "list"),
    ("squad_json", squad(answers=[{"text": "Haus"}]), None, "data[0].paragraphs[0].qas[0].answers[0]", "without"),
    ("hellaswag_jsonl", HELLA.replace('"label": 1', '"label": 2'), 1, "label", "no choice"),
    ("hellaswag_jsonl", HELLA.replace('["b", "c"]', '"bc"'), 1, "endings", "list"),
    ("cosmos_csv", COSMOS.replace(",a,b,0", ",,b,0"), 2, "answer0", "empty"),
    ("csqa_jsonl", CSQA.replace('"answerKey": "B"', '"answerKey": "C"'), 1, "answerKey", "none of A, B"),
    ("copa_jsonl", COPA.replace("cause", "reason"), 1, "question", "neither"),
    ("parallel_tsv", "Hello.\tHallo.\n\tWelt.\n", 2, "English", "empty"),
    ("parallel_tsv", "Hello.\n", 1, None, "1 tab-separated"),
]


@pytest.mark.parametrize(("reader", "text", "line", "field", "found"), BROKEN)
def test_a_malformed_file_is_told_by_line_and_field(
    tmp_path: Path, reader: str, text: str | bytes, line: int | None, field: str | None, found: str
) -> None:
    path = write(tmp_path, text)
    labels = NLI if reader in ("pair_tsv", "nli_jsonl", "nli_csv") else None
    with pytest.raises(DataError) as caught:
        read(reader, path, labels=labels)
    error = caught.value
    assert found in str(error) and str(path) in str(error)
    assert error.field == field
    assert line is None or error.line == line


def test_truncated_json_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read("squad_json", write(tmp_path, squad()[:-20]))
    assert caught.value.line is not None and caught.value.line > 1


def test_tatoeba_refuses_files_of_unlike_length(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 lines, but eng has 1") as caught:
        read("tatoeba", write(tmp_path, "a\nb\n", "de"), write(tmp_path, "a\n", "eng"))
    assert caught.value.line == 2


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read("lines", tmp_path / "none.txt")


def test_good_choices_are_read(tmp_path: Path) -> None:
    assert read("hellaswag_jsonl", write(tmp_path, HELLA))[0].label == 1
    assert read("cosmos_csv", write(tmp_path, COSMOS))[0].choices == ("a", "b")
    assert read("csqa_jsonl", write(tmp_path, CSQA))[0].label == 1
    assert read("copa_jsonl", write(tmp_path, COPA))[0].question == "What was the cause?"
    unlabelled = CSQA.replace(', "answerKey": "B"', "")
    assert read("csqa_jsonl", write(tmp_path, unlabelled))[0].label is None
