"""What is known of two datasets that share examples or source text, each with where it stands written.

Only what a release or its paper states, or what was counted, is declared. ``overlaps.Ledger`` applies it to tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stilts.tasks.catalog.target_datasets import MLQA_LANGUAGES
from stilts.tasks.task import Source

_REAL = (Source.FILES, Source.HUB)


class Sharing(StrEnum):
    """What two splits share."""

    TRAINING = "English training set"
    EXAMPLES = "examples"
    TRANSLATIONS = "translations"
    SENTENCES = "sentences"
    PARAGRAPHS = "paragraphs"
    QUESTIONS = "questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of two splits; each is ``<dataset>/<split>``.

    ``TRAINING`` says that ``other`` has no training data of its own and ``one`` serves: it explains, and shares no
    text. ``source`` is where it stands written; ``sources`` are those of ``one`` for which it holds. Generated data
    share nothing with anything by such an entry.
    """

    one: str
    other: str
    what: Sharing
    why: str
    source: str
    sources: tuple[Source, ...] = _REAL


_GLUE = "Wang et al. 2018 (GLUE), arXiv 1804.07461"
_SQUAD_V2 = "Rajpurkar et al. 2018, arXiv 1806.03822"
_PAWSX = "the release's README; Yang et al. 2019, arXiv 1908.11828"


def _known(one: str, other: str, what: Sharing, why: str, source: str, *sources: Source) -> Entry:
    return Entry(one=one, other=other, what=what, why=why, source=source, sources=sources or _REAL)


KNOWN = (
    _known(
        "multinli/train",
        "xnli/test",
        Sharing.TRAINING,
        "MultiNLI is XNLI's English training set",
        "Conneau et al. 2018, arXiv 1809.05053",
    ),
    _known(
        "squad/train",
        "xquad/test",
        Sharing.TRAINING,
        "SQuAD 1.1 is XQuAD's English training set",
        "Artetxe et al. 2020, arXiv 1910.11856",
    ),
    _known(
        "squad/train",
        "mlqa/test",
        Sharing.TRAINING,
        "SQuAD 1.1 is MLQA's English training set",
        "Lewis et al. 2020, arXiv 1910.07475",
    ),
    _known(
        "squad/dev",
        "xquad/test",
        Sharing.PARAGRAPHS,
        "XQuAD is 240 paragraphs and 1,190 questions of SQuAD's dev set, and their translations",
        "Artetxe et al. 2020, arXiv 1910.11856",
    ),
    _known(
        "squad/train",
        "lareqa/test",
        Sharing.TRAINING,
        "SQuAD 1.1 is LAReQA's English training set",
        "Ruder et al. 2021, arXiv 2104.07412",
    ),
    _known(
        "squad/dev",
        "lareqa/test",
        Sharing.PARAGRAPHS,
        "LAReQA's questions and paragraphs are XQuAD's, which are of SQuAD's dev set",
        "Roy et al. 2020, arXiv 2004.05484",
    ),
    _known(
        "copa/train",
        "xcopa/test",
        Sharing.TRAINING,
        "COPA is XCOPA's English training set",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    _known(
        "copa/dev",
        "xcopa/dev",
        Sharing.TRANSLATIONS,
        "XCOPA's dev set is COPA's, translated",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    _known(
        "copa/test",
        "xcopa/test",
        Sharing.TRANSLATIONS,
        "XCOPA's test set is COPA's, translated",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    *(
        _known(
            "squad/train",
            f"mlqa_question_{question}/{split}",
            Sharing.TRAINING,
            "SQuAD 1.1 is MLQA's English training set",
            "Lewis et al. 2020, arXiv 1910.07475",
        )
        for question in MLQA_LANGUAGES
        for split in ("test", *MLQA_LANGUAGES)
        if split != question
    ),
    *(
        _known(
            f"squad_v2/{split}",
            f"squad/{split}",
            Sharing.EXAMPLES,
            f"SQuAD 2.0's {split} set holds the questions of SQuAD 1.1's, and others on the same paragraphs",
            _SQUAD_V2,
        )
        for split in ("train", "dev")
    ),
    _known(
        "squad_v2/dev",
        "xquad/test",
        Sharing.PARAGRAPHS,
        "SQuAD 2.0's dev set asks about the paragraphs of SQuAD 1.1's, 240 of which are XQuAD's",
        _SQUAD_V2,
    ),
    _known(
        "squad_v2/dev",
        "lareqa/test",
        Sharing.PARAGRAPHS,
        "SQuAD 2.0's dev set asks about the paragraphs of SQuAD 1.1's, 240 of which are XQuAD's and so LAReQA's",
        _SQUAD_V2,
    ),
    _known(
        "qnli/train",
        "squad_v2/train",
        Sharing.QUESTIONS,
        "QNLI's train pairs are questions and sentences of SQuAD's train set, which SQuAD 2.0 holds",
        _GLUE,
    ),
    *(
        _known(f"qnli/{split}", other, Sharing.QUESTIONS, why, _GLUE)
        for split, other, why in (
            ("train", "squad/train", "QNLI's train pairs are questions and sentences of SQuAD's train set"),
            ("dev", "squad/dev", "QNLI's dev pairs are questions and sentences of SQuAD's dev set"),
            ("dev", "xquad/test", "QNLI's dev pairs are of SQuAD's dev set, 240 paragraphs of which are XQuAD's"),
            ("dev", "lareqa/test", "QNLI's dev pairs are of SQuAD's dev set, 240 paragraphs of which are LAReQA's"),
        )
    ),
    _known(
        "multinli/train",
        "americasnli/test",
        Sharing.TRAINING,
        "MultiNLI is the English training set of AmericasNLI, as of XNLI",
        "Ebrahimi et al. 2022, arXiv 2104.08726",
    ),
    _known(
        "xnli/test",
        "americasnli/test",
        Sharing.TRANSLATIONS,
        "AmericasNLI is translated from XNLI's Spanish",
        "Ebrahimi et al. 2022, arXiv 2104.08726",
    ),
    _known(
        "plain/train",
        "udpos/train",
        Sharing.SENTENCES,
        "the plain text holds sentences of UD's train sets",
        "the text's own list of sources",
        Source.FILES,
    ),
    _known(
        "plain/train",
        "panx/train",
        Sharing.SENTENCES,
        "the plain text holds sentences of WikiANN's train sets",
        "the text's own list of sources",
        Source.FILES,
    ),
    *(
        _known(
            "plain/train",
            f"tydiqa/{split}",
            Sharing.SENTENCES,
            "the plain text of English, Korean and Swahili holds sentences of TyDiQA's train paragraphs",
            "counted: 247 of 1,498 lines in en, 276 of 1,497 in ko, 614 of 1,496 in sw",
            Source.FILES,
        )
        for split in ("train", "heldout")
    ),
    _known(
        "plain/train",
        "panx/train",
        Sharing.SENTENCES,
        "WikiANN's sentences, train and evaluation, are Wikipedia's, and so is the plain text on the hub",
        "Pan et al. 2017",
        Source.HUB,
    ),
    _known(
        "plain/train",
        "panx/test",
        Sharing.SENTENCES,
        "WikiANN's sentences, train and evaluation, are Wikipedia's, and so is the plain text on the hub",
        "Pan et al. 2017",
        Source.HUB,
    ),
    _known(
        "translation/train",
        "tatoeba/test",
        Sharing.TRANSLATIONS,
        "OPUS-100 is drawn from OPUS, of which Tatoeba's sentences and translations are a part",
        "Zhang et al. 2020, arXiv 2004.11867",
        Source.HUB,
    ),
    _known(
        "paws/train",
        "pawsx/train",
        Sharing.EXAMPLES,
        "PAWS-X's English training set is PAWS's pairs of Wikipedia",
        _PAWSX,
    ),
    *(
        _known(
            "paws/dev",
            f"pawsx/{split}",
            Sharing.EXAMPLES,
            "PAWS-X's dev and test sets are both of PAWS's dev set, and its translations",
            _PAWSX,
        )
        for split in ("dev", "test")
    ),
)
