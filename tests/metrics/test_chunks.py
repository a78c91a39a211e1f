import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.metrics.chunks import chunk_rows, chunks
from stilts.metrics.metric import metric
from stilts.metrics.spans import entity_rows

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
ODD = [
    "O",
    ".",
    "B",
    "I",
    "E",
    "S",
    "B-PER",
    "I-PER",
    "E-PER",
    "S-PER",
    "X-O",
    "I-O",
    "B-",
    "A-B-C",
    "OTHER",
    "-",
    "E-O",
]
BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def sentences(tags: list[str]) -> st.SearchStrategy[list[list[tuple[str, str]]]]:
    return st.lists(st.lists(st.tuples(st.sampled_from(tags), st.sampled_from(tags)), max_size=7), max_size=5)


def literal(texts: list[list[str]]) -> set[tuple[str, int, int]]:
    """The rule word for word: a chunk ends where two neighbours say so, and began where one was last opened."""
    row = [tag for tags in texts for tag in [*tags, "O"]] + ["O"]
    marks = [(tag[0], tag.split("-")[-1]) for tag in row]
    ends = {"BB", "BS", "BO", "IB", "IS", "IO"}
    begins = {"EE", "EI", "SE", "SI", "OE", "OI"}

    def opens(place: int) -> bool:
        (before, kind), (here, own) = marks[place - 1] if place else ("O", ""), marks[place]
        return here == "B" or here == "S" or before + here in begins or (here not in ("O", ".") and kind != own)

    def closes(place: int) -> bool:
        (here, own), (after, kind) = marks[place], marks[place + 1]
        return here == "E" or here == "S" or here + after in ends or (here not in ("O", ".") and kind != own)

    found = set()
    for end in range(len(marks) - 1):
        if closes(end):
            found.add((marks[end][1], max((place for place in range(end + 1) if opens(place)), default=0), end))
    return found


@pytest.mark.parametrize("tags", [UPOS, ODD, BIO], ids=["upos", "odd", "bio"])
@given(data=st.data())
def test_chunks_and_their_f1_are_the_rules(tags: list[str], data: st.DataObject) -> None:
    drawn = data.draw(sentences(tags))
    gold, predicted = ([[pair[side] for pair in each] for each in drawn] for side in (0, 1))
    wanted, found = literal(gold), literal(predicted)
    assert set().union(*chunks(gold)) == wanted
    assert chunk_rows(gold, predicted).sum(axis=0).tolist() == [len(wanted & found), len(found), len(wanted)]


@given(sentences(BIO))
def test_on_bio_tags_they_are_the_spans(drawn: list[list[tuple[str, str]]]) -> None:
    gold, predicted = ([[pair[side] for pair in each] for each in drawn] for side in (0, 1))
    assert (chunk_rows(gold, predicted) == entity_rows(gold, predicted)).all()


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["NOUN", "NOUN", "VERB"], {("NOUN", 0, 1), ("VERB", 2, 2)}),  # a run of equal tags is one chunk
        (["SCONJ", "SCONJ"], {("SCONJ", 0, 0), ("SCONJ", 1, 1)}),  # S stands alone
        (["INTJ", "INTJ"], {("INTJ", 0, 1)}),
        (["CCONJ", "SCONJ"], {("CCONJ", 0, 0), ("SCONJ", 1, 1)}),  # later seqevals call both CONJ
        (["O", "OTHER", "."], set()),
        ([], set()),
    ],
)
def test_chunks_of_a_sentence(tags: list[str], found: set[tuple[str, int, int]]) -> None:
    assert chunks([tags]) == [frozenset(found)]


def test_a_sentence_ends_a_run() -> None:
    assert chunks([["NOUN"], ["NOUN"]]) == [frozenset({("NOUN", 0, 0)}), frozenset({("NOUN", 2, 2)})]


def test_f1_by_hand() -> None:
    # Gold: NOUN(0-1) VERB(2); predicted: NOUN(0) VERB(1-2). Nothing agrees but the words' tags; then all does.
    rows = chunk_rows([["NOUN", "NOUN", "VERB"], ["DET"]], [["NOUN", "VERB", "VERB"], ["DET"]])
    assert rows.tolist() == [[0, 2, 2], [1, 1, 1]]
    assert metric("chunk_f1").score({"tp": 1.0, "predicted": 3.0, "gold": 3.0}) == pytest.approx(100 / 3)


def test_a_dropped_word_is_refused() -> None:
    with pytest.raises(InputError, match="2 words but 1 predicted"):
        chunk_rows([["X", "X"]], [["X"]])
