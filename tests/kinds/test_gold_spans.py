"""Gold spans decoded back to characters: the answer itself, or the fewest tokens that hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers

from stilts.data.encode import TaskTokenizer
from stilts.data.load import load_examples
from stilts.data.tokenizing import read_tokenizer
from stilts.data.toy import toy_tokenizer_json
from stilts.kinds.span_qa import LEARNING
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import SplitRef

# Answers that are not whole tokens, by dataset and language, of how many: all of them are held by a token that goes on
# beyond the answer, with a mark ("),"), an ending or an article ("Somalias"), or where the release's answer is cut
# within a word ("m (17,05"). No other span of tokens is nearer.
STRADDLED = {
    "xlmr-mini": {
        "squad": {"en": (11, 1062)},
        "xquad": dict(
            ar=(17, 1190), de=(7, 1190), el=(19, 1190), en=(9, 1190), es=(17, 1190), hi=(2, 1190), ro=(17, 1190),
            ru=(36, 1190), th=(0, 1190), tr=(4, 1190), vi=(19, 1190), zh=(3, 1190),
        ),
        "mlqa": dict(
            ar=(24, 517), de=(6, 512), en=(15, 1148), es=(7, 500), hi=(2, 507), vi=(10, 511), zh=(6, 504)
        ),
        "tydiqa": dict(en=(87, 3696), ko=(29, 1625), sw=(49, 2755)),
    },
    "e5-small": {
        "squad": {"en": (18, 1062)},
        "xquad": dict(
            ar=(31, 1190), de=(18, 1190), el=(37, 1190), en=(27, 1190), es=(36, 1190), hi=(11, 1190), ro=(34, 1190),
            ru=(46, 1190), th=(16, 1190), tr=(12, 1190), vi=(40, 1190), zh=(14, 1190),
        ),
        "mlqa": dict(
            ar=(27, 517), de=(7, 512), en=(35, 1148), es=(11, 500), hi=(1, 507), vi=(15, 511), zh=(22, 504)
        ),
        "tydiqa": dict(en=(190, 3696), ko=(171, 1625), sw=(132, 2755)),
    },
}  # fmt: skip
SPLITS = {"squad": ("train", "dev"), "xquad": ("test",), "mlqa": ("test",), "tydiqa": ("train",)}
# What the tokenizer leaves out wherever it stands: a zero-width space, in eight answers of MLQA's Spanish.
LEFT_OUT = "\u200b"


def encoder(tokenizer: Tokenizer, max_length: int = 384, doc_stride: int = 128) -> TaskTokenizer:
    return TaskTokenizer(tokenizer=tokenizer, labels=(), max_length=max_length, doc_stride=doc_stride)


def gold_spans(examples: list[SpanExample], tokens: TaskTokenizer) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The example and the places of the gold span's tokens, for every window that has one."""
    encoded = LEARNING.encode(examples, tokens)
    assert encoded.spans is not None and encoded.chars is not None
    for unit, (first, last) in enumerate(encoded.spans.tolist()):
        if last:
            places = encoded.chars[unit].reshape(-1, 2)[first : last + 1].tolist()
            yield int(encoded.unit_example[unit]), [(start, stop) for start, stop in places]


def fault(example: SpanExample, places: list[tuple[int, int]]) -> str:
    """What is wrong with a gold span: "" where it is the answer, "straddled" where whole tokens cannot be."""
    assert example.answers is not None
    context, (begin, end) = example.context, (places[0][0], places[-1][1])
    said = context[begin:end].strip()
    if any(said.replace(LEFT_OUT, "") == text.replace(LEFT_OUT, "") for text, _ in example.answers):
        return ""
    for text, start in example.answers:
        stop = start + len(text.rstrip(LEFT_OUT))
        first, last = places[0], places[-1]
        # Its outer tokens hold characters of the answer, and no more than they begin or end beyond it.
        if first[0] <= start < first[1] and last[0] < stop <= last[1]:
            return "straddled"
    return f"{said!r} for {example.answers!r}"


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SPLITS)
@pytest.mark.parametrize("model", STRADDLED)
def test_gold_spans_decode_to_their_answers(shared: Path, model: str, dataset: str) -> None:
    registry, roots = default_registry(), {"data": shared / "data", "text": shared / "text"}
    tokens = encoder(read_tokenizer(shared / "models" / model / "tokenizer.json"))
    resolver, straddled, number = Resolver(registry, roots), Counter[str](), Counter[str]()
    for split in SPLITS[dataset]:
        ref = SplitRef(dataset=dataset, split=split)
        for view in resolver.views(ref, SPAN_QA, resolver.available_languages(ref)):
            examples = [each for each in load_examples(view, roots) if isinstance(each, SpanExample) and each.answers]
            found: dict[int, str] = {}
            for place, places in gold_spans(examples, tokens):
                found[place] = max(found.get(place, ""), fault(examples[place], places))
            assert set(found.values()) <= {"", "straddled"}
            assert len(found) == len(examples)  # a window holds every answer
            straddled[view.language] += sum(map(bool, found.values()))
            number[view.language] += len(examples)
    assert {code: (straddled[code], number[code]) for code in number} == STRADDLED[model][dataset]


@pytest.mark.parametrize("text", ["red\u200b", "\u200bred", "\u200bred\u200b", "is red\u200b", "red\u200b in"])
def test_an_answer_that_ends_in_what_the_tokenizer_leaves_out_has_its_span(text: str) -> None:
    """It was no answer in any window, and trained as a question without one."""
    tokenizer = Tokenizer.from_str(toy_tokenizer_json())
    tokenizer.normalizer = normalizers.Replace("\u200b", "")
    context = f"the lamp {'' if text.startswith('is') else 'is '}{text}{'' if text.endswith('in') else ' in'} the house"
    example = SpanExample(item="1", question="what", context=context, answers=((text, context.index(text)),))
    ((_, places),) = gold_spans([example], encoder(tokenizer))
    assert context[places[0][0] : places[-1][1]].replace("\u200b", "").strip() == text.replace("\u200b", "")


def test_an_answer_that_a_window_cuts_is_none_of_it() -> None:
    tokenizer = Tokenizer.from_str(toy_tokenizer_json())
    words = "lamp chair table coat shoe cable".split() * 6
    context, text = " ".join(words), " ".join(words[6:12])
    example = SpanExample(item="1", question="what", context=context, answers=((text, context.index(text)),))
    spans = list(gold_spans([example], encoder(tokenizer, max_length=48, doc_stride=16)))
    assert spans and all(context[places[0][0] : places[-1][1]] == text for _, places in spans)
