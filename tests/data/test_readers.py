from __future__ import annotations

import json
import os
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.data.load import load_examples
from stilts.data.readers import read_examples, reader_of
from stilts.data.readers.document import line_of
from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import numbered_lines
from stilts.data.readers.sentences import sentence_breaks
from stilts.errors import DataError, InputError
from stilts.tasks.example import LONGEST_TEXT, Example
from stilts.tasks.kind import Format
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import default_registry
from stilts.tasks.sources import files_view
from stilts.tasks.task import Dataset, FilesLayout, SplitRef

NLI = ("entailment", "neutral", "contradiction")


def form_of(name: str) -> Format:
    return known_kinds().formats()[name][1]


def read(reader: str, *files: Path, labels: tuple[str, ...] | None = None, **options: Any) -> list[Example]:
    return list(read_examples(form_of(reader), Reading(paths=files, language="de", options=options, labels=labels)))


def write(folder: Path, text: str | bytes, name: str = "data.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def squad(context: str = "Das Haus ist alt.", **question: Any) -> str:
    asked = {"id": "q1", "question": "Was?", "answers": [{"text": "Haus", "answer_start": 4}]} | question
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [asked]}]}]}, indent=1)


def test_there_is_one_reader_per_format() -> None:
    for name in known_kinds().formats():
        assert reader_of(form_of(name)).__name__ == f"read_{name}"


def test_pairs_count_what_the_release_leaves_out(tmp_path: Path) -> None:
    reading = Reading(paths=(write(tmp_path, "a\tb\t1\nNS\tb\t0\nc\td\t0\n"),), language="de", options={"drop": "NS"})
    assert [example.item for example in read_examples(form_of("pair_tsv"), reading)] == ["0", "2"]
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


def test_squad_v2_says_which_questions_have_no_answer(tmp_path: Path) -> None:
    plausible = [{"text": "Haus", "answer_start": 4}]
    impossible = squad(answers=[], is_impossible=True, plausible_answers=plausible)
    assert read("squad_json", write(tmp_path, impossible))[0].answers == ()
    assert read("squad_json", write(tmp_path, squad(is_impossible=False)))[0].answers == (("Haus", 4),)


SUBJQA_HEADER = "q_review_id,question,review,human_ans_spans,human_ans_indices\n"


def test_subjqas_annotators_are_one_question(tmp_path: Path) -> None:
    review = "Great food! Slow service. ANSWERNOTFOUND"
    marks = [
        ("q1", "Slow service .", "(12, 25)"),
        ("q1", "ANSWERNOTFOUND", "(26, 40)"),
        ("q1", "Great !", "(0, 11)"),  # a gap: the words between are the span's too
        ("q2", "ANSWERNOTFOUND", "(26, 40)"),
        ("q3", "service ANSWERNOTFOUND", "(17, 40)"),
    ]
    rows = "".join(f'{item},How?,{review},{span},"{places}"\n' for item, span, places in marks)
    reading = Reading(paths=(write(tmp_path, SUBJQA_HEADER + rows),), language="en")
    first, second = read_examples(form_of("subjqa_csv"), reading)
    assert first.answers == (("Slow service.", 12), ("Great food!", 0)) and first.context == review[:25]
    assert (second.item, second.answers) == ("q2", ())
    assert dict(reading.skipped) == {"a span and no answer are marked together": 1}


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
    ("squad_json", squad(is_impossible=True), 17, "data[0].paragraphs[0].qas[0].is_impossible", "but the question has"),
    (
        "squad_json",
        squad(is_impossible=False, answers=[]),
        12,
        "data[0].paragraphs[0].qas[0].is_impossible",
        "has none",
    ),
    ("squad_json", squad(is_impossible=1), 17, "data[0].paragraphs[0].qas[0].is_impossible", "neither true nor false"),
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


def test_lines_are_read_one_at_a_time(tmp_path: Path) -> None:
    """So that a file may be larger than the memory; what ends a line is as it was."""
    path = write(tmp_path, b"\xef\xbb\xbfone\r\n\ntwo\x0cthree\n" + b"x" * 10)
    assert list(numbered_lines(path)) == [(1, "one"), (2, ""), (3, "two\x0cthree"), (4, "x" * 10)]
    for data, lines in ((b"", []), (b"\xef\xbb\xbf", []), (b"\n", [""]), (b"\xef\xbb\xbf\n", [""]), (b"a\n", ["a"])):
        assert [line for _, line in numbered_lines(write(tmp_path, data))] == lines
    first = numbered_lines(write(tmp_path, b"good\n\xff\n"))
    assert next(first) == (1, "good")
    with pytest.raises(DataError, match="line 2: byte 0xff at position 0 is not UTF-8"):
        next(first)


@pytest.mark.parametrize(
    ("reader", "said"),
    [("lines", "line 1: three of four bytes or so are null"), ("squad_json", "it holds 2 GiB, more than the 1 GiB")],
)
def test_a_file_of_zeros_takes_no_memory_of_its_size(tmp_path: Path, reader: str, said: str) -> None:
    path = write(tmp_path, "")
    os.truncate(path, 2**31)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=said):
            read(reader, path)
        assert tracemalloc.get_traced_memory()[1] < 300 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("reader", ["lines", "squad_json", "pair_tsv"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, reader: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="it is a pipe, no file"):
        read(reader, tmp_path / "pipe")


def test_deep_json_is_told_by_its_line(tmp_path: Path) -> None:
    deep = "[" * 200_000 + "]" * 200_000
    with pytest.raises(DataError, match="line 2: the JSON is nested more than 128 deep"):
        read("squad_json", write(tmp_path, f'{{"data":\n{deep}}}'))
    with pytest.raises(DataError, match="line 3: the JSON is nested more than 128 deep"):
        read("copa_jsonl", write(tmp_path, f'\n\n{{"premise": {deep}}}\n'))


def test_good_choices_are_read(tmp_path: Path) -> None:
    assert read("hellaswag_jsonl", write(tmp_path, HELLA))[0].label == 1
    assert read("cosmos_csv", write(tmp_path, COSMOS))[0].choices == ("a", "b")
    assert read("csqa_jsonl", write(tmp_path, CSQA))[0].label == 1
    assert read("copa_jsonl", write(tmp_path, COPA))[0].question == "What was the cause?"
    unlabelled = CSQA.replace(', "answerKey": "B"', "")
    assert read("csqa_jsonl", write(tmp_path, unlabelled))[0].label is None


# --- every reader of the registry, by a small good file of its format ---


@dataclass(frozen=True)
class Sample:
    """A good file of one format: its texts (none may be blank), where its labels stand, what of its shape can break.

    In ``written`` the @ of the second text is where another label is put."""

    text: str
    texts: tuple[str, ...]
    shape: tuple[tuple[str, str], ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    num: int = 2


def json_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def conllu(*columns: tuple[str, str, str]) -> str:
    rows = [
        f"{i}\t{form}\t_\t{upos}\t_\t{feats}\t{int(i > 1)}\troot\t_\t_\n"
        for i, (form, upos, feats) in enumerate(columns, 1)
    ]
    return "# sent_id = s\n" + "".join(rows) + "\n"


PUBMED = json.dumps(
    {
        "11": {"QUESTION": "tq1", "CONTEXTS": ["tc1", "tc2"], "final_decision": "yes"},
        "12": {"QUESTION": "tq2", "CONTEXTS": ["tc3"], "final_decision": "maybe"},
    },
    indent=1,
)
CONTRACT = json.dumps(
    {
        "documents": [
            {
                "id": 7,
                "text": "tx1",
                "annotation_sets": [{"annotations": {"n-1": {"choice": "neutral"}, "n-2": {"choice": "entailment"}}}],
            }
        ],
        "labels": {"n-1": {"hypothesis": "th1"}, "n-2": {"hypothesis": "th2"}},
    },
    indent=1,
)
AUTO = (
    "ID=wsj_1 PARSER=GOLD\n(<T S 0 2> (<L N NNP NNP tw1 N>) (<L S\\N VBZ VBZ tw2 S\\N>) )\n"
    "ID=wsj_2 PARSER=GOLD\n(<L N NNP NNP tw3 N>)\n"
)
QUESTIONS = json.dumps(
    {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": "tc1 end",
                        "qas": [
                            {"id": "i1", "question": "tq1", "answers": [{"text": "end", "answer_start": 4}]},
                            {"id": "i2", "question": "tq2", "answers": [{"text": "end", "answer_start": 4}]},
                        ],
                    }
                ]
            }
        ]
    },
    indent=1,
)
SUBJQA = (
    "q_review_id,question,review,human_ans_spans,human_ans_indices\n"
    'i1,tq1,tr1 end ANSWERNOTFOUND,end,"(4, 7)"\n'
    'i2,tq2,tr2 ANSWERNOTFOUND,ANSWERNOTFOUND,"(4, 18)"\n'
)
BROKEN_UP = json.dumps(
    {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": "tc1 one. Two end.",
                        "sentence_breaks": "BREAKS",
                        "qas": [
                            {"id": "i1", "question": "tq1", "answers": [{"text": "end", "answer_start": 13}]},
                            {"id": "i2", "question": "tq2", "answers": [{"text": "end", "answer_start": 13}]},
                        ],
                    }
                ]
            }
        ]
    },
    indent=1,
).replace('"BREAKS"', "[[0, 8], [9, 17]]")
NEWS = {
    "language": "de",
    "text": "Not here. Of Bonn {x} more.",
    "sentence_spans": [{"start": 0, "end": 9}, {"start": 10, "end": 27}],
}
MENTION = {"example_id": "ti1", "entity_id": "Q1", "mention_span": {"start": 13, "end": 17, "text": "Bonn"}}
ENTITY = {"entity_id": "Q1", "description": "td1 described", "sentence_spans": [{"start": 0, "end": 13}]}
MENTION_SHAPES = (
    ("context", "contexts"),
    ('"start": 13', '"start": 12'),
    ('"start": 13', '"start": "13"'),
    ('"end": 17', '"end": 99'),
    ('"start": 10', '"start": 15'),
    ("Not here. Of Bonn {x} more.", ""),
    ("[{", "{"),
)
CHOICE = {"c": "tc1", "q": "tq1", "a": "ta1", "b": "tb1", "right": 2}
SAMPLES: dict[str, Sample] = {
    "text_tsv": Sample(
        "ta1\tyes\nta2\tno\n", ("ta1", "ta2"), (("\t", " "),), (("yes", "@"), ("no", "@")), ("yes", "no")
    ),
    "pair_tsv": Sample(
        "ta1\ttb1\tyes\nta2\ttb2\tno\n",
        ("ta1", "tb1", "tb2"),
        (("\t", " "), ("\t", "\t\t")),
        (("yes", "@"), ("no", "@")),
        ("yes", "no"),
    ),
    "nli_jsonl": Sample(
        json_lines(
            {"gold_label": "neutral", "sentence1": "ta1", "sentence2": "tb1"},
            {"gold_label": "entailment", "sentence1": "ta2", "sentence2": "tb2"},
        ),
        ("ta1", "tb2"),
        (("sentence1", "sentence"), ('"ta1"', "3"), ('"tb1"', '"\\ud800"'), ("{", "[")),
        (("neutral", "@"), ("entailment", "@")),
        NLI,
    ),
    "anli_jsonl": Sample(
        json_lines(
            {"uid": "u1", "context": "ta1", "hypothesis": "tb1", "label": "neutral"},
            {"uid": "u2", "context": "ta2", "hypothesis": "tb2", "label": "entailment"},
        ),
        ("u1", "ta1", "tb2"),
        (("uid", "id"), ('"ta1"', "null")),
        (("neutral", "@"), ("entailment", "@")),
        NLI,
    ),
    "nli_releases_jsonl": Sample(
        json_lines(
            {"uid": "u1", "context": "ta1", "hypothesis": "tb1", "label": "neutral"},
            {"gold_label": "entailment", "sentence1": "ta2", "sentence2": "tb2"},
        ),
        ("u1", "ta1", "tb2"),
        (("uid", "id"), ('"ta1"', "null"), ("gold_label", "label")),
        (("neutral", "@"), ("entailment", "@")),
        NLI,
    ),
    "pair_jsonl": Sample(
        json_lines({"p": "ta1", "q": "tb1", "answer": True}, {"p": "ta2", "q": "tb2", "answer": False}),
        ("ta1", "tb2"),
        (('"p"', '"r"'), ("answer", "answers"), ("true", "[]"), ("true", "1.5")),
        (("true", '"@"'), ("false", "7")),
        ("yes", "no"),
        {"text": "p", "text_pair": "q", "label": "answer", "label_map": {"True": "yes", "False": "no"}},
    ),
    "nli_csv": Sample(
        'premise,hypothesis,label\nta1,tb1,neutral\n"ta,2","tb""2",entailment\n',
        ("ta1", "tb1"),
        (("premise", "text"), ("hypothesis", "premise"), ("ta1,", "ta1,,"), ('b""2', 'b"2')),
        (("neutral", "@"), ("entailment", "@")),
        NLI,
    ),
    "glue_tsv": Sample(
        "id\tquestion1\tquestion2\tis_duplicate\n1\tta1\ttb1\t0\n2\tta2\ttb2\t1\n",
        ("ta1", "tb2"),
        (("question1", "question"), ("question2", "question1"), ("ta1\t", "ta1\t\t")),
        (("\t0\n", "\t@\n"), ("\t1\n", "\t@\n")),
        ("0", "1"),
    ),
    "pubmedqa_json": Sample(
        PUBMED,
        ("tq1", "tc2", "tc3"),
        (("QUESTION", "Q"), ("[", "{"), ('"tc1"', "4")),
        (("yes", "@"), ("maybe", "@")),
        ("yes", "maybe"),
    ),
    "contract_nli_json": Sample(
        CONTRACT,
        ("tx1", "th2"),
        (
            ("documents", "contracts"),
            ("annotations", "notes"),
            ("choice", "choose"),
            ('"n-2"', '"n-3"'),
        ),
        (("neutral", "@"), ("entailment", "@")),
        NLI,
    ),
    "conllu": Sample(
        conllu(("tw1", "NOUN", "_"), ("tw2", "VERB", "Mood=Ind")) * 2,
        ("tw1", "tw2"),
        (("\t_\t_\n", "\t_\n"), ("1\ttw", "one\ttw")),
        (("NOUN", "@"), ("VERB", "@")),
        ("NOUN", "VERB"),
    ),
    "bio_tsv": Sample(
        "tw1\tO\n\ntw2\tB-LOC\n", ("tw1", "tw2"), (("\t", " "),), (("O", "@"), ("B-LOC", "@")), ("O", "B-LOC", "I-LOC")
    ),
    "tagged_jsonl": Sample(
        json_lines({"tokens": ["tw1"], "ner_tags": ["O"]}, {"tokens": ["tw2"], "ner_tags": ["B-LOC"]}),
        ("tw1", "tw2"),
        (('["tw1"]', '"tw1"'), ('["tw1"]', "[]"), ('["tw1"]', '["tw1", "tw3"]')),
        (('"O"', '"@"'), ('"B-LOC"', '"@"')),
        ("O", "B-LOC", "I-LOC"),
    ),
    "bio_columns": Sample(
        "-DOCSTART- -X- -X- O\n\ntw1 NN I-NP I-LOC\n\ntw2 NN I-NP O\n",
        (),
        (("tw1 NN", "NN"), ("tw2 NN", "tw2 of NN")),
        (("I-LOC", "@"),),
        ("O", "B-LOC", "I-LOC"),
        {"columns": 4, "scheme": "iob1"},
    ),
    "ccg_auto": Sample(
        AUTO,
        (),
        (
            ("ID=wsj_1 PARSER=GOLD\n", ""),
            ("(<L N NNP NNP tw3 N>)", "tw3"),
            (") )", ")"),
            ("(<L N NNP NNP tw3 N>)\n", ""),
        ),
        (("N NNP", "@ NNP"), ("S\\N VBZ", "@ VBZ")),
        ("N", "S\\N"),
    ),
    "squad_json": Sample(
        QUESTIONS,
        ("tc1 end", "tq1", "i2"),
        (("data", "date"), ("qas", "questions"), (": 4", ": 5"), (": 4", ": -1"), (": 4", ": true"), ('"tq1"', "{}")),
    ),
    "subjqa_csv": Sample(
        SUBJQA,
        ("i1", "tq1", "tr1 end"),
        (
            ("q_review_id", "id"),
            ("question", "review"),
            ("(4, 7)", "(4; 7)"),
            ("(4, 7)", "(3, 6)"),
            ("(4, 7)", "(40, 70)"),
            ("end ANSWERNOTFOUND,end", "end ANSWERNOTFOUND,and"),
            ("i2,tq2", "i1,tq2"),
        ),
    ),
    "hellaswag_jsonl": Sample(
        json_lines(
            {"ctx": "tc1", "endings": ["ta1", "tb1"], "label": 1}, {"ctx": "tc2", "endings": ["a", "b"], "label": 0}
        ),
        ("tc1", "tb1"),
        (("ctx", "c"), ("endings", "end"), ('["ta1", "tb1"]', '["ta1"]'), ('"ta1"', "1")),
        ((" 1}", ' "@"}'), (" 1}", " 2}")),
    ),
    "cosmos_csv": Sample(
        "id,context,question,answer0,answer1,label\n1,tc1,tq1,ta1,tb1,0\n2,tc2,tq2,ta2,tb2,1\n",
        ("tc1", "tq2", "tb2"),
        (("context", "text"), ("answer0,answer1", "answer0,x"), ("ta1,", "ta1,,")),
        (("0\n", "@\n"), ("1\n", "@\n")),
    ),
    "csqa_jsonl": Sample(
        json_lines(
            *(
                {
                    "id": f"i{n}",
                    "question": f"tq{n}",
                    "choices": {"label": ["A", "B"], "text": ["ta", "tb"]},
                    "answerKey": "B",
                }
                for n in (1, 2)
            )
        ),
        ("tq1", "tq2", "ta"),
        (('"choices"', '"choice"'), ('["ta", "tb"]', '["ta", "tb", "tc"]'), ('["A", "B"]', "[1, 2]")),
        (('y": "B', 'y": "@'),),
    ),
    "copa_jsonl": Sample(
        json_lines(
            *(
                {"premise": f"tp{n}", "choice1": "ta", "choice2": "tb", "question": "cause", "label": 0, "idx": n}
                for n in (1, 2)
            )
        ),
        ("tp1", "tp2", "ta", "tb"),
        (("premise", "p"), ("cause", "because"), ('"idx": 1', '"idx": true'), ("choice2", "choice3")),
        (('l": 0', 'l": "@"'), ('l": 0', 'l": 2')),
    ),
    "choice_jsonl": Sample(
        json_lines(CHOICE, {**CHOICE, "right": 1}),
        ("tc1", "tq1", "tb1"),
        (('"a"', '"d"'), ('"tq1"', "[]"), ("2}", "0}")),
        ((" 2}", ' "@"}'), (" 2}", " 3}")),
        options={"context": "c", "question": "q", "choices": "a,b", "label": "right", "first_choice": 1},
    ),
    "choice_csv": Sample(
        ",prompt,h0,h1,label\n0,tc1,ta1,tb1,0\n1,tc2,ta2,tb2,1\n",
        ("tc1", "tb2"),
        (("prompt", "p"), ("h1", "h0"), ("ta1,", "ta1,,")),
        (("0\n", "@\n"), ("1\n", "@\n")),
        options={"context": "prompt", "choices": "h0,h1", "label": "label"},
    ),
    "tatoeba": Sample("tx1\ntx2\n", ("tx1", "tx2"), (("tx1\n", ""), ("tx1", "tx1\ntx1")), beside=("en one\nen two\n",)),
    "bucc": Sample(
        "de-1\tta1\nde-2\tta2\n",
        ("ta1", "ta2"),
        (("\t", " "), ("de-2", "de-1"), ("de-1", "de-7")),
        beside=("en-2\ttb2\n", "de-1\ten-2\n"),
    ),
    "squad_sentences": Sample(
        BROKEN_UP.replace("sentence_breaks", "unread"),
        ("tc1 one. Two end.", "tq1", "i2"),
        (
            ("data", "date"),
            ("qas", "questions"),
            (": 13", ": 12"),
            (": 13", ": -1"),
            (": 13", ": true"),
            ('"tq1"', "{}"),
        ),
    ),
    "lareqa_questions": Sample(
        BROKEN_UP,
        ("tc1 one. Two end.", "tq1", "i2"),
        (("[0, 8]", "[8, 0]"), ("[0, 8]", "[0, 90]"), ("[0, 8]", "[0]"), ("[0, 8]", '"0"'), (": 13", ": 12")),
    ),
    "lareqa_sentences": Sample(
        BROKEN_UP, ("tc1 one. Two end.", "tq1"), (("[0, 8]", "[0, true]"), ("[0, 8]", "[8, 9]"), (": 13", ": true"))
    ),
    "mewslix_pairs": Sample(
        json_lines(*({"contextual_mention": {"context": NEWS, "mention": MENTION}, "entity": ENTITY} for _ in "12")),
        ("ti1", "td1 described"),
        MENTION_SHAPES,
    ),
    "mewslix_mentions": Sample(
        json_lines({"context": NEWS, "mentions": [MENTION, MENTION]}), ("ti1",), (*MENTION_SHAPES, ("mentions", "m"))
    ),
    "mewslix_entities": Sample(
        json_lines(ENTITY, {**ENTITY, "entity_id": "Q2"}),
        ("Q1", "td1 described"),
        (("entity_id", "id"), ('"end": 13', '"end": 14'), ("sentence_spans", "spans"), ("[{", "{")),
    ),
    "rated_tsv": Sample(
        "index\tsentence1\tsentence2\tscore\n1\tta1\ttb1\t0.5\n2\tta2\ttb2\t5.000\n",
        ("ta1", "tb2"),
        (("sentence1", "sentence"), ("score", "sentence1"), ("ta1\t", "ta1\t\t"), ("0.5", "nan"), ("5.000", "5.001")),
        (("\t0.5\n", "\t@\n"), ("\t5.000\n", "\t@\n")),
        ("0", "5"),
    ),
    "multi_label_jsonl": Sample(
        json_lines(
            {"id": "i1", "text": {"de": "ta1", "en": "x"}, "concepts": {"all": ["yes", "no", "yes"]}},
            {"id": "i2", "text": {"de": "ta2"}, "concepts": {"all": []}},
            {"id": "i3", "text": {"en": "x"}, "concepts": {"all": ["no"]}},
        ),
        ("i1", "ta1", "ta2"),
        (('"text"', '"texts"'), ('"concepts"', '"labels"'), ('["yes", "no", "yes"]', '"yes"'), ('"ta1"', "3")),
        (('["yes"', '["@"'),),
        ("yes", "no"),
        {"item": "id", "labels": "concepts.all"},
    ),
    # A blank line parts documents, and every other line is a sentence: nothing but bytes can be wrong.
    "lines": Sample("ta1\nta2\n", ()),
    "parallel_tsv": Sample("ta1\ttb1\nta2\ttb2\n", ("ta1", "tb2"), (("\t", " "), ("\t", "\t\t"))),
}
SPACES = st.sampled_from(["", " ", "\u3000", "\xa0"])


def read_sample(folder: Path, name: str, data: bytes) -> tuple[Path, list[Example], int]:
    """The file written, its examples, and how many rows were counted as left out."""
    sample = SAMPLES[name]
    path = write(folder, data, "sample.txt")
    paths = (path, *(write(folder, text, f"beside{n}.txt") for n, text in enumerate(sample.beside)))
    reading = Reading(paths=paths, language="de", options=sample.options, labels=sample.labels)
    examples = list(read_examples(form_of(name), reading))
    for example in examples:
        example.content()
    return path, examples, sum(reading.skipped.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


def refused(folder: Path, name: str, data: str | bytes) -> DataError:
    """The error that a file gives: it names a file of the sample and a line."""
    with pytest.raises(DataError) as caught:
        read_sample(folder, name, data if isinstance(data, bytes) else data.encode())
    error = caught.value
    assert error.file in [str(folder / name) for name in ("sample.txt", "beside0.txt", "beside1.txt")]
    assert error.line is not None and error.line >= 1
    return error


def line_at(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def test_every_format_has_a_sample(folder: Path) -> None:
    assert set(SAMPLES) == set(known_kinds().formats())
    for name, sample in SAMPLES.items():
        _, examples, _ = read_sample(folder, name, sample.text.encode())
        assert len(examples) == sample.num, name


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_invalid_utf8_is_told_by_its_line(folder: Path, name: str, data: st.DataObject) -> None:
    good = SAMPLES[name].text.encode()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = data.draw(st.sampled_from([b"\xff", b"\xc3\x28", b"\xed\xa0\x80"]))
    error = refused(folder, name, good[:place] + bad + good[place:])
    assert "not UTF-8" in str(error) and error.line == line_at(good, place)


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.texts])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_an_empty_text_is_told_by_its_line(folder: Path, name: str, data: st.DataObject) -> None:
    good = SAMPLES[name].text
    spaces = (
        st.sampled_from(["", " "]) if name in ("conllu", "bio_tsv", "tagged_jsonl") else SPACES
    )  # other words are seen by nobody
    text, blank = data.draw(st.sampled_from(SAMPLES[name].texts)), data.draw(spaces)
    error = refused(folder, name, good.replace(text, blank, 1))
    assert "empty" in str(error) and error.field is not None
    assert error.line == line_at(good.encode(), good.encode().index(text.encode()))


@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, old, new) for name, sample in SAMPLES.items() for old, new in sample.written]
)
@settings(max_examples=10, deadline=None)
@given(other=st.text("qxz789", min_size=2, max_size=6))
def test_an_unknown_label_is_told_by_its_line(folder: Path, name: str, old: str, new: str, other: str) -> None:
    good = SAMPLES[name].text
    error = refused(folder, name, good.replace(old, new.replace("@", other), 1))
    assert (other if "@" in new else new.strip(" }")[-1]) in error.found
    assert error.line == line_at(good.encode(), good.encode().index(old.encode()) + (old[0] == "\n"))


@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, old, new) for name, sample in SAMPLES.items() for old, new in sample.shape]
)
def test_a_wrong_column_or_field_is_an_error(folder: Path, name: str, old: str, new: str) -> None:
    assert old in SAMPLES[name].text
    refused(folder, name, SAMPLES[name].text.replace(old, new, 1))


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_truncated_file_gives_an_error_or_what_stands_before(folder: Path, name: str, data: st.DataObject) -> None:
    good = SAMPLES[name].text.encode()
    whole = read_sample(folder, name, good)[1]
    cut = data.draw(st.integers(1, len(good) - 1))
    if name.endswith("_json") or (name.endswith("_jsonl") and good[cut - 1 : cut] not in (b"\n", b"}")):
        refused(folder, name, good[:cut])
        return
    try:
        _, examples, _ = read_sample(folder, name, good[:cut])
    except DataError as error:
        assert error.line is not None
    else:  # a text may be cut and nobody can tell, but no row that stands before it is lost
        assert examples[:-1] == whole[: max(len(examples) - 1, 0)]


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_bytes_crash_a_reader(folder: Path, name: str, data: st.DataObject) -> None:
    good = SAMPLES[name].text
    alphabet = st.sampled_from(
        [*sorted(set(good)), "\u2028", "\x00", '"', "\r", "\\ud800", "9" * 5000, "[" * 3000, "²"]
    )
    start = data.draw(st.integers(0, len(good)))
    stop = data.draw(st.integers(start, min(len(good), start + 9)))
    spliced = good[:start] + "".join(data.draw(st.lists(alphabet, max_size=6))) + good[stop:]
    for text in (spliced.encode(), data.draw(st.binary(max_size=60))):
        try:
            read_sample(folder, name, text)
        except DataError as error:
            assert error.line is not None, str(error)


FILES = [(name, number) for name, sample in SAMPLES.items() for number in range(1 + len(sample.beside))]


def load_sample(folder: Path, name: str, number: int, data: bytes) -> list[Example]:
    """The examples of a dataset in that format, its file of that number with other bytes, as a stage gets them."""
    sample = SAMPLES[name]
    for at, text in enumerate((sample.text, *sample.beside)):
        write(folder, data if at == number else text, f"f{at}.txt")
    dataset = Dataset(
        name="own",
        languages={"train": ("de",)},
        files=FilesLayout(
            reader=name,
            splits={"train": "|".join(f"f{at}.txt" for at in range(1 + len(sample.beside)))},
            options=sample.options,
        ),
        licence="none",
        domain="none",
    )
    ref = SplitRef(dataset="own", split="train")
    view = files_view(dataset, ref, known_kinds().formats()[name][0], "de", {"data": folder})
    return load_examples(view, {"data": folder}, labels=sample.labels)


@pytest.mark.parametrize(("name", "number"), FILES)
def test_an_empty_file_is_told_by_its_name(tmp_path: Path, name: str, number: int) -> None:
    for nothing in (b"", b"\n"):
        with pytest.raises(DataError) as caught:
            load_sample(tmp_path, name, number, nothing)
        assert "f0.txt" in caught.value.file or f"f{number}.txt" in str(caught.value)


def test_an_empty_file_among_others_is_no_silent_gap(tmp_path: Path) -> None:
    sample = SAMPLES["anli_jsonl"]
    for name, text in (("R1", sample.text), ("R2", "")):
        write(tmp_path, text, f"{name}.jsonl")
    dataset = Dataset(
        name="own",
        languages={"train": ("en",)},
        files=FilesLayout(reader="anli_jsonl", splits={"train": "R1.jsonl|R2.jsonl"}),
        licence="none",
        domain="none",
    )
    ref = SplitRef(dataset="own", split="train")
    view = files_view(dataset, ref, known_kinds().formats()["anli_jsonl"][0], "en", {"data": tmp_path})
    with pytest.raises(DataError, match=r"R2\.jsonl, line 1.*is empty"):
        load_examples(view, {"data": tmp_path}, labels=NLI)


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, number in FILES if number])
def test_the_file_beside_is_read_as_strictly(tmp_path: Path, name: str, number: int) -> None:
    good = SAMPLES[name].beside[number - 1].encode()
    for bad in (good + b"\xff\n", good[: good.rstrip(b"\n").rfind(b"\n") + 1] or b"x\n"):
        with pytest.raises(DataError) as caught:
            load_sample(tmp_path, name, number, bad)
        assert caught.value.line is not None


@pytest.mark.parametrize("dataset", default_registry().datasets(), ids=lambda dataset: str(dataset.name))
def test_a_language_without_a_file_is_told_by_path_licence_and_source(tmp_path: Path, dataset: Dataset) -> None:
    if dataset.files is None:
        pytest.skip("it has no files layout")
    for split in dataset.files.splits:
        language = dataset.languages[split][-1]
        with pytest.raises(DataError, match="no such file") as caught:
            files_view(
                dataset,
                SplitRef(dataset=dataset.name, split=split),
                TAGGING,
                language,
                {dataset.files.root: tmp_path},
            )
        said = str(caught.value)
        assert caught.value.file.startswith(str(tmp_path)) and dataset.licence in said
        assert "Languages there: none" in said
        for source in ("hub", "toy"):
            assert (f'"{source}"' in caught.value.next_step) == (getattr(dataset, source) is not None)


def test_a_line_with_other_columns_is_told_with_the_option_that_fits(tmp_path: Path) -> None:
    path = write(tmp_path, "# id 1\nBonn NN I-NP B-LOC\n")
    with pytest.raises(DataError, match=r"columns says 4.*options: \{columns: 3\}.*options: \{comments: \.\.\.\}"):
        read("bio_columns", path, columns=4)
    with pytest.raises(DataError, match=r"line 2.*columns says 2.*options: \{columns: 4\}"):
        read("bio_columns", path, comments=True)


def test_rows_are_read_or_counted(folder: Path) -> None:
    _, examples, left_out = read_sample(folder, "bio_columns", SAMPLES["bio_columns"].text.encode())
    assert [example.tags for example in examples] == [("B-LOC",), ("O",)] and left_out == 1
    _, examples, left_out = read_sample(folder, "bio_columns", b"-DOCSTART- -X- -X- O\nBonn NN I-NP I-LOC\n")
    assert [example.words for example in examples] == [("Bonn",)] and left_out == 1


# --- readers with options, on what they are for ---


def test_a_value_is_on_its_scale_or_kept_back(tmp_path: Path) -> None:
    def row(score: str) -> Path:
        return write(tmp_path, f"index\tsentence1\tsentence2\tscore\n1\ta\tb\t{score}\n")

    assert read("rated_tsv", row("3.8"), labels=("0", "5"))[0].value == 3.8
    assert read("rated_tsv", row("-1"), labels=("0", "5"))[0].value is None
    assert read("rated_tsv", row("-1"), labels=("-1", "1"))[0].value == -1.0
    for wrong in ("5.1", "inf", "nan", "four"):
        with pytest.raises(DataError, match="no number of the scale"):
            read("rated_tsv", row(wrong), labels=("0", "5"))


def test_a_text_may_be_there_in_some_languages(folder: Path) -> None:
    _, examples, left_out = read_sample(folder, "multi_label_jsonl", SAMPLES["multi_label_jsonl"].text.encode())
    assert [(example.item, example.labels) for example in examples] == [("i1", ("yes", "no")), ("i2", ())]
    assert left_out == 1


def test_conllu_reads_features_bundles_and_supertags(tmp_path: Path) -> None:
    path = write(tmp_path, conllu(("Haus", "NOUN", "Case=Acc|Number=Sing"), ("alt", "ADJ", "_")))
    tags = {column: read("conllu", path, column=column)[0].tags for column in ("feats.Number", "feats", "supertag")}
    assert tags["feats.Number"] == ("Sing", "_")
    assert tags["feats"] == ("Case=Acc|Number=Sing", "_")
    assert tags["supertag"] == ("NOUN/Case=Acc|Number=Sing/root/root", "ADJ/_/root/left")
    assert read("conllu", path, labels=("_", "<other>"), column="feats.Number", unseen="<other>")[0].tags == (
        "<other>",
        "_",
    )
    with pytest.raises(InputError, match="no such column"):
        read("conllu", path, column="lemma")
    for broken, where in (("Number=", "FEATS"), ("x", "FEATS")):
        with pytest.raises(DataError) as caught:
            read("conllu", write(tmp_path, conllu(("Haus", "NOUN", broken))), column="feats")
        assert (caught.value.line, caught.value.field) == (2, where)


def test_iob1_names_begin_with_b(tmp_path: Path) -> None:
    rows = "a I-PER\nb I-PER\nc B-PER\nd O\ne I-LOC\nf I-ORG\n"
    assert read("bio_columns", write(tmp_path, rows), scheme="iob1")[0].tags == (
        "B-PER",
        "I-PER",
        "B-PER",
        "O",
        "B-LOC",
        "B-ORG",
    )


def test_ccg_categories_that_a_task_does_not_list_are_unseen(tmp_path: Path) -> None:
    examples = read("ccg_auto", write(tmp_path, AUTO), labels=("N", "<unseen>"), unseen="<unseen>")
    assert [(example.item, example.tags) for example in examples] == [("wsj_1", ("N", "<unseen>")), ("wsj_2", ("N",))]


def test_labels_may_lie_beside_the_questions(tmp_path: Path) -> None:
    questions = write(tmp_path, json_lines(CHOICE, CHOICE), "train.jsonl")
    options = {"context": "c", "question": "q", "choices": "a,b", "first_choice": 1}
    examples = read("choice_jsonl", questions, write(tmp_path, "2\n1\n", "train-labels.lst"), **options)
    assert [(example.choices, example.label) for example in examples] == [(("ta1", "tb1"), 1), (("ta1", "tb1"), 0)]
    for labels, line in (("2\n", 2), ("2\n3\n", 2), ("0\n1\n", 1)):
        with pytest.raises(DataError) as caught:
            read("choice_jsonl", questions, write(tmp_path, labels, "train-labels.lst"), **options)
        assert caught.value.line == line and caught.value.file.endswith("train-labels.lst")


def test_a_blank_is_filled_by_the_choices(tmp_path: Path) -> None:
    rows = [
        {"sentence": text, "o1": "Ida", "o2": "Eva", "answer": "2"}
        for text in ("The cup fell, so _ wept.", "_ is old.", "None.")
    ]
    options = {"context": "sentence", "choices": "o1,o2", "label": "answer", "first_choice": 1, "blank": "_"}
    first, second = read("choice_jsonl", write(tmp_path, json_lines(*rows[:2])), **options)
    assert (first.context, first.choices, first.label) == ("The cup fell, so", ("Ida wept.", "Eva wept."), 1)
    assert (second.context, second.choices) == ("_ is old.", ("Ida is old.", "Eva is old."))
    with pytest.raises(DataError, match="no blank") as caught:
        read("choice_jsonl", write(tmp_path, json_lines(*rows)), **options)
    assert (caught.value.line, caught.value.field) == (3, "sentence")


def test_contracts_are_paired_with_their_hypotheses(tmp_path: Path) -> None:
    first, second = read("contract_nli_json", write(tmp_path, CONTRACT), labels=NLI)
    assert (first.item, first.text, first.text_pair, first.label) == ("0/n-1", "tx1", "th1", "neutral")
    assert (second.text_pair, second.label) == ("th2", "entailment")


def test_abstracts_are_joined(tmp_path: Path) -> None:
    first, second = read("pubmedqa_json", write(tmp_path, PUBMED))
    assert (first.item, first.text, first.text_pair, first.label) == ("11", "tq1", "tc1 tc2", "yes")
    assert second.label == "maybe"


def test_lines_of_a_document_are_found() -> None:
    text = '{"a": [1,\n {"b": "x"},\n "[{"],\n"c": {}}'
    assert [line_of(text, at) for at in ("a", "a[0]", "a[1].b", "a[2]", "c", "c.missing", "a[9]")] == [
        1,
        1,
        2,
        3,
        4,
        4,
        1,
    ]


def test_bucc_keeps_pairs_together_and_other_sentences_apart(tmp_path: Path) -> None:
    files = [
        write(tmp_path, text, name)
        for name, text in (
            ("de", "de-1\tEins\nde-2\tZwei\nde-3\tDrei\n"),
            ("en", "en-1\tOne\nen-2\tAlone\nen-3\tThree\nen-4\tTres\n"),
            ("gold", "de-1\ten-1\nde-3\ten-3\nde-3\ten-4\n"),
        )
    ]
    one, two, three, alone = read("bucc", *files)
    assert (one.item, one.sources, one.targets) == ("de-1", (("de-1", "Eins"),), (("en-1", "One"),))
    assert (two.targets, two.pairs) == ((), ()) and alone.targets == (("en-2", "Alone"),) and not alone.sources
    assert three.pairs == (("de-3", "en-3"), ("de-3", "en-4")) and len(three.targets) == 2
    write(tmp_path, "de-1\ten-9\n", "gold")
    with pytest.raises(DataError, match=r'gold.*line 1.*no sentence "en-9"'):
        read("bucc", *files)


def test_a_sentence_answers_the_questions_whose_answer_begins_in_it(tmp_path: Path) -> None:
    path = write(tmp_path, BROKEN_UP)
    first, second = read("lareqa_sentences", path)
    assert (first.item, first.text, first.keys) == ("de_1_0", "tc1 one.", ())
    assert (second.item, second.text, second.keys) == ("de_1_1", "Two end.", ("i1", "i2"))
    assert {each.context for each in (first, second)} == {"tc1 one. Two end."}
    assert [(each.item, each.key) for each in read("lareqa_questions", path)] == [("i1", "i1"), ("i2", "i2")]
    (pair, _) = read("squad_sentences", path)
    assert (pair.query, pair.candidate, pair.context) == ("tq1", "Two end.", "tc1 one. Two end.")


def test_an_answer_in_no_sentence_is_counted(tmp_path: Path) -> None:
    reading = Reading(paths=(write(tmp_path, BROKEN_UP.replace("[9, 17]", "[9, 11]")),), language="de")
    assert list(read_examples(form_of("lareqa_questions"), reading)) == []
    assert reading.skipped == {"the answer begins in no sentence": 2}


def test_a_mention_is_read_in_its_sentence_between_braces(tmp_path: Path) -> None:
    other = {"context": {**NEWS, "language": "pl"}, "mentions": [MENTION]}
    path = write(tmp_path, json_lines({"context": NEWS, "mentions": [MENTION]}, other))
    (mention,) = read("mewslix_mentions", path)
    assert (mention.query, mention.key) == ("Bonn: Of { Bonn } (x) more.", "Q1")
    entity = write(tmp_path, json_lines({**ENTITY, "description": "One. \nTwo.", "sentence_spans": []}), "entities")
    (candidate,) = read("mewslix_entities", entity)
    assert (candidate.item, candidate.text, candidate.keys) == ("Q1", "One. Two.", ("Q1",))


def test_articles_without_their_text_say_how_to_get_it(tmp_path: Path) -> None:
    path = write(tmp_path, json_lines({"context": {**NEWS, "text": ""}, "mentions": [MENTION]}))
    with pytest.raises(DataError, match=r"get-mewsli-x\.sh"):
        read("mewslix_mentions", path)


def test_sentences_end_at_marks_and_not_after_abbreviations() -> None:
    text = 'Dr. J. Smith came. "He left at 3 p.m. (see it)." Then? 他来了。他走了。 '
    found = [text[start:stop] for start, stop in sentence_breaks(text)]
    assert found == ["Dr. J. Smith came.", '"He left at 3 p.m. (see it)."', "Then?", "他来了。", "他走了。"]
    assert sentence_breaks("no mark") == [(0, 7)]


@pytest.mark.parametrize(
    ("reader", "line"), [("text_tsv", "{}\tx"), ("lines", "{}"), ("bio_tsv", "{}\tO"), ("parallel_tsv", "{}\tx")]
)
def test_a_text_beyond_all_texts_is_named_with_its_line(reader: str, line: str, tmp_path: Path) -> None:
    for length, fits in ((LONGEST_TEXT, True), (LONGEST_TEXT + 1, False)):
        path = tmp_path / "x"
        path.write_text(line.format("a") + "\n" + line.format("b" * length) + "\n")
        reading = Reading(paths=(path,), language="en")
        if fits:
            assert list(read_examples(form_of(reader), reading))
            continue
        with pytest.raises(DataError, match=r"x, line 2, field .*2,000,001 characters"):
            list(read_examples(form_of(reader), reading))
