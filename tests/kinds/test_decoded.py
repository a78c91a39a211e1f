"""Every kind is shown as a model gets it: labels on subwords, answers in brackets, the right choice marked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stilts.data.encoded import Ragged
from stilts.data.toy import generate
from stilts.kinds.learning import decoded, encode
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.multi_label import MULTI_LABEL
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE, ChoiceExample
from stilts.tasks.kinds.regression import REGRESSION
from stilts.tasks.kinds.retrieval import RETRIEVAL, CandidateExample, MiningExample, QueryExample
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING, TaggingExample
from stilts.tasks.registry import default_registry
from stilts.tasks.task import Task
from tests.data.encoding import TOKENIZER, encoder

TASKS = {
    CLASSIFICATION: ("mnli", "nli"),
    TAGGING: ("udpos", "pos"),
    SPAN_QA: ("squad", "qa"),
    MULTIPLE_CHOICE: ("hellaswag", "choice"),
    RETRIEVAL: ("tatoeba", "retrieval"),
    MASKED_LM: ("plain", "plain"),
    REGRESSION: ("stsb", "similarity"),
    MULTI_LABEL: ("multieurlex", "topics"),
}


def shown(task: Task, examples: list[Any], number: int = 0, **lengths: int) -> str:
    encoded = encode(task.kind, examples, encoder(*task.labels, **lengths))
    return decoded(task, encoded, TOKENIZER, number)


@pytest.mark.parametrize("kind", known_kinds().all())
def test_every_kind_shows_its_words_and_what_is_right(kind: TaskKind) -> None:
    name, generator = TASKS[kind]
    task = default_registry().task(name)
    options = {"labels": list(task.labels)} if kind is MULTI_LABEL else {}
    example: Any = generate(generator=generator, split="train", language="en", size=3, options=options)[2]
    text = shown(task, [example] * 3, 2, max_length=100)
    first = next(getattr(example, field) for field in ("question", "text", "query", "words") if hasattr(example, field))
    assert str(first if isinstance(first, str) else first[0]).split()[0].lower() in text.lower()
    right = {
        CLASSIFICATION: lambda: f"-> {example.label}",
        TAGGING: lambda: f"/{example.tags[-1]}",
        SPAN_QA: lambda: f"[[{example.answers[0][0]}]]",
        MULTIPLE_CHOICE: lambda: "(x)",
        RETRIEVAL: lambda: example.candidate.split()[-2],
        MASKED_LM: lambda: "masked",
        REGRESSION: lambda: f"-> {example.value:g} of 0 to 5",
        MULTI_LABEL: lambda: f"-> {', '.join(example.labels)}",
    }
    assert right[kind]().lower() in text.lower()


def test_a_label_stands_on_the_first_subword_only() -> None:
    task = replace(default_registry().task("udpos"), labels=("NOUN", "VERB"))
    text = shown(task, [TaggingExample(item="1", words=("horse", "qqqq"), tags=("NOUN", "VERB"))])
    assert text.count("/NOUN") == text.count("/VERB") == 1
    assert text.index("/NOUN") < text.index("/VERB") and not text.startswith("<s>/")


def test_a_label_on_another_subword_would_be_seen() -> None:
    task = replace(default_registry().task("udpos"), labels=("NOUN", "VERB"))
    sentence = [TaggingExample(item="1", words=("horse", "dog"), tags=("NOUN", "VERB"))]
    encoded = encode(task.kind, sentence, encoder(*task.labels))
    assert encoded.row_labels is not None
    moved = replace(encoded, row_labels=Ragged.of([[*encoded.row_labels[0].tolist()[1:], -100]]))
    assert decoded(task, moved, TOKENIZER, 0) != decoded(task, encoded, TOKENIZER, 0)


def test_the_window_with_the_answer_is_shown_and_its_absence_said() -> None:
    task = default_registry().task("squad")
    context = "the dog will see the cat . " * 8 + "the king will sleep ."
    question = SpanExample(item="1", question="who ?", context=context, answers=(("king", context.index("king")),))
    text = shown(task, [question], max_length=40)
    assert "[[king]]" in text and "windows)" in text
    assert "no answer" in shown(task, [replace(question, answers=())], max_length=40)


def test_the_right_choice_is_marked() -> None:
    example = ChoiceExample(item="1", context="the dog", question="", choices=("will sing", "will swim"), label=1)
    first, second = shown(default_registry().task("copa"), [example]).split("\n")
    assert first.startswith("( )") and second.startswith("(x)") and "swim" in second


def test_retrieval_is_shown_in_whatever_form_it_comes() -> None:
    bucc, lareqa = (default_registry().task(name) for name in ("bucc2018", "lareqa"))
    pair = MiningExample(item="1", sources=(("a", "the dog"),), targets=(("b", "a king"),), pairs=(("a", "b"),))
    assert shown(bucc, [pair]) == "<s> the dog </s> = <s> a king </s>"
    assert (
        shown(bucc, [pair, MiningExample(item="2", sources=(("c", "the cat"),), targets=())], 1) == "<s> the cat </s>"
    )
    assert shown(lareqa, [QueryExample(item="1", query="the dog", key="1")]) == "<s> the dog </s>"
    assert shown(lareqa, [CandidateExample(item="1", text="the dog", keys=("1",))]) == "<s> the dog </s>"


def test_a_long_text_keeps_both_ends() -> None:
    example = generate(generator="nli", split="train", language="en", size=1, options={})[0]
    long = replace(example, text="the dog " * 200, text_pair="a king")  # type: ignore[arg-type]
    text = shown(default_registry().task("mnli"), [long], max_length=120)
    assert len(text) < 300 and " ... " in text and "a king" in text
