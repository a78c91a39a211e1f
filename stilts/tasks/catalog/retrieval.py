"""Retrieval beyond translations one by one: BUCC (XTREME), LAReQA and Mewsli-X (XTREME-R).

BUCC mines with the encoder as it is. LAReQA and Mewsli-X train a dual encoder on English pairs and ask one pool of
candidates in many languages. Their pairs, queries and candidates are datasets of their own, as one reader reads each.
"""

from __future__ import annotations

from stilts.tasks.catalog.declaring import ENGLISH, all_of, rest_of, tenth_of
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.task import Dataset, FilesLayout, Task
from stilts.tasks.toy import MIXED

_BUCC = tuple("de fr ru zh".split())
_LAREQA = tuple("ar de el en es hi ru th tr vi zh".split())
_MEWSLIX = tuple("ar de en es fa ja pl ro ta tr uk".split())
_LAREQA_CITED = "Roy et al. 2020, arXiv 2004.05484"
_MEWSLIX_CITED = "Ruder et al. 2021, arXiv 2104.07412; files of mewsli-x_20220518_6, made by its get-mewsli-x.sh"
_MEWSLIX_LICENCE = "that of Wikipedia and WikiNews"

DATASETS = (
    # The hub's copy (google/xtreme, bucc18.*) has the gold pairs alone, without the sentences that they are mined from.
    Dataset(
        name="bucc2018",
        languages={"dev": _BUCC, "test": _BUCC},
        files=FilesLayout(
            reader="bucc",
            splits={
                split: "|".join(f"bucc2018/{{lang}}-en.{split}.{end}" for end in ("{lang}", "en", "gold"))
                for split in ("dev", "test")
            },
        ),
        toy=toy("mining", "bucc2018"),
        licence="free for research, see the release",
        domain="Wikipedia and news",
        citation="Zweigenbaum et al. 2018; Hu et al. 2020, arXiv 2003.11080",
    ),
    Dataset(
        name="squad_sentences",
        languages=ENGLISH,
        files=FilesLayout(
            reader="squad_sentences", splits={"train": "squad/train-v1.1.json", "dev": "squad/dev-v1.1.json"}
        ),
        toy=toy("answers", "squad_sentences", role="pair"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation="Rajpurkar et al. 2016, arXiv 1606.05250",
    ),
    Dataset(
        name="lareqa",
        languages={"test": _LAREQA},
        files=FilesLayout(reader="lareqa_questions", splits={"test": "lareqa/xquad-r/{lang}.json"}),
        toy=toy("answers", "lareqa", role="query"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation=_LAREQA_CITED,
    ),
    Dataset(
        name="lareqa_sentences",
        languages={"test": _LAREQA},
        files=FilesLayout(reader="lareqa_sentences", splits={"test": "lareqa/xquad-r/{lang}.json"}),
        toy=toy("answers", "lareqa", role="candidate"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation=_LAREQA_CITED,
    ),
    Dataset(
        name="mewslix_pairs",
        languages=ENGLISH,
        files=FilesLayout(
            reader="mewslix_pairs",
            splits={split: f"mewslix/wikipedia_pairs-{split}.jsonl" for split in ("train", "dev")},
        ),
        toy=toy("mentions", "mewslix_pairs", role="pair"),
        licence=_MEWSLIX_LICENCE,
        domain="Wikipedia",
        citation=_MEWSLIX_CITED,
    ),
    Dataset(
        name="mewslix",
        languages={"dev": _MEWSLIX, "test": _MEWSLIX},
        files=FilesLayout(
            reader="mewslix_mentions",
            splits={split: f"mewslix/wikinews_mentions-{split}.jsonl" for split in ("dev", "test")},
        ),
        toy=toy("mentions", "mewslix", role="query"),
        licence=_MEWSLIX_LICENCE,
        domain="news",
        citation=_MEWSLIX_CITED,
    ),
    Dataset(
        name="mewslix_entities",
        languages={"test": (MIXED,)},
        files=FilesLayout(reader="mewslix_entities", splits={"test": "mewslix/candidate_set_entities.jsonl"}),
        toy=toy("mentions", "mewslix", role="candidate"),
        licence=_MEWSLIX_LICENCE,
        domain="Wikipedia",
        citation=_MEWSLIX_CITED,
    ),
)

TASKS = (
    Task(
        name="bucc2018",
        kind=RETRIEVAL,
        metric="pair_f1",
        dev=all_of("bucc2018", "dev"),
        test=all_of("bucc2018", "test"),
        group="retrieval",
        description="Translations mined from two corpora by margin, with the encoder as it is; the threshold is chosen "
        "on dev. A folder without test files has its dev files halved",
    ),
    Task(
        name="lareqa",
        kind=RETRIEVAL,
        metric="map_at_20",
        train=rest_of("squad_sentences"),
        dev=tenth_of("squad_sentences"),
        test=all_of("lareqa", "test"),
        pool=all_of("lareqa_sentences", "test"),
        group="retrieval",
        description="Sentences that answer a question, from all the languages of the column together (XQuAD-R, "
        "XTREME-R); a dual encoder trained on SQuAD",
    ),
    Task(
        name="mewslix",
        kind=RETRIEVAL,
        metric="reciprocal_rank_at_20",
        train=all_of("mewslix_pairs", "train"),
        dev=all_of("mewslix_pairs", "dev"),
        test=all_of("mewslix", "test"),
        pool=all_of("mewslix_entities", "test"),
        group="retrieval",
        description="The entity that a mention in the news is of, among a million described in fifty languages "
        "(XTREME-R); a dual encoder trained on English Wikipedia",
    ),
)
