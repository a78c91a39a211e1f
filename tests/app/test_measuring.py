"""What is kept of a study's languages: a typed record, which says why a figure is not there."""

from pathlib import Path

from stilts.app.measuring import fertility_lines
from stilts.data.fertility import SPACES, Fertility
from stilts.ledger.records import FERTILITY, FertilityRecord, LanguageFertility
from stilts.store import make_store

UNSPACED = "its script puts no spaces between words"


def test_a_language_whose_words_cannot_be_told_has_no_ratio_and_a_reason(tmp_path: Path) -> None:
    measured = {
        "de": Fertility(tokens=10, words=3, source=SPACES),
        "th": Fertility(tokens=0, words=0, reason=UNSPACED),
    }
    lines = fertility_lines(measured)
    assert lines["de"] == LanguageFertility(tokens=10, words=3, source=SPACES, tokens_per_word=3.3333)
    assert lines["th"] == LanguageFertility(tokens=0, words=0, reason=UNSPACED)
    store = make_store(str(tmp_path / "store"))
    record = FertilityRecord(tokenizer="abc", languages=lines)
    FERTILITY.write(store, record, "study")
    assert FERTILITY.read(store, "study") == record
