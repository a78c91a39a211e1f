"""Datasets of XTREME's and XTREME-R's targets; ``targets.py`` has the tasks.

A split lists every language that the release has; a folder may hold fewer, and says so when one is missed.
"""

from __future__ import annotations

from stilts.tasks.catalog.declaring import COPA_COLUMNS, COPA_OPTIONS, QA_COLUMNS
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.catalog.treebanks import HUB_DEV, HUB_NAMES, TREEBANKS
from stilts.tasks.task import Dataset, FilesLayout, HubLayout

MLQA_LANGUAGES = tuple("ar de en es hi vi zh".split())
_XNLI = tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split())
_PAWSX = tuple("de en es fr ja ko zh".split())
# XTREME-R's 48; the 40 of XTREME are all but the eight below.
_PANX = tuple(
    (
        "af ar az bg bn de el en es et eu fa fi fr gu he hi hu id it ja jv ka kk ko lt ml mr ms my nl pa pl "
        "pt qu ro ru sw ta te th tl tr uk ur vi yo zh"
    ).split()
)
_PANX_XTREME = tuple(code for code in _PANX if code not in ("az", "gu", "lt", "pa", "pl", "qu", "ro", "uk"))
_XQUAD = tuple("ar de el en es hi ro ru th tr vi zh".split())
_XCOPA = tuple("et ht id it qu sw ta th tr vi zh".split())
_TYDIQA = {
    "ar": "arabic",
    "bn": "bengali",
    "en": "english",
    "fi": "finnish",
    "id": "indonesian",
    "ko": "korean",
    "ru": "russian",
    "sw": "swahili",
    "te": "telugu",
}
# ISO 639-1 to the code in Tatoeba's file names (ISO 639-3; Mandarin, Swahili and Persian go by the single language).
_TATOEBA = dict(
    pair.split(":")
    for pair in (
        "af:afr ar:ara az:aze bg:bul bn:ben de:deu el:ell es:spa et:est eu:eus fa:pes fi:fin fr:fra he:heb "
        "hi:hin hu:hun id:ind it:ita ja:jpn jv:jav ka:kat kk:kaz ko:kor lt:lit ml:mal mr:mar nl:nld pl:pol "
        "pt:por ro:ron ru:rus sw:swh ta:tam te:tel th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie zh:cmn"
    ).split()
)

DATASETS = (
    Dataset(
        name="xnli",
        languages={"dev": _XNLI, "test": _XNLI},
        files=FilesLayout(reader="pair_tsv", splits={"dev": "xnli/dev-{lang}.tsv", "test": "xnli/test-{lang}.tsv"}),
        hub=HubLayout(
            repo="facebook/xnli",
            config="{lang}",
            splits={"dev": "validation", "test": "test"},
            columns={"text": "premise", "text_pair": "hypothesis", "label": "label"},
        ),
        toy=toy("nli", "xnli"),
        licence="CC BY-NC 4.0",
        domain="ten genres of speech and writing",
        citation="Conneau et al. 2018, arXiv 1809.05053",
    ),
    Dataset(
        name="pawsx",
        languages={"train": ("en",), "dev": _PAWSX, "test": _PAWSX},
        files=FilesLayout(
            reader="pair_tsv",
            splits={"train": "pawsx/train-{lang}.tsv", "dev": "pawsx/dev-{lang}.tsv", "test": "pawsx/test-{lang}.tsv"},
            options={"drop": "NS"},
        ),
        hub=HubLayout(
            repo="google/xtreme",
            config="PAWS-X.{lang}",
            splits={"train": "train", "dev": "validation", "test": "test"},
            columns={"text": "sentence1", "text_pair": "sentence2", "label": "label"},
            options={"drop": "NS"},
        ),
        toy=toy("paraphrase", "pawsx"),
        licence="free, see the release",
        domain="Wikipedia, scrambled words",
        citation="Yang et al. 2019, arXiv 1908.11828",
    ),
    Dataset(
        name="udpos",
        languages={"train": ("en",), "dev": HUB_DEV, "test": (*TREEBANKS, "wo")},
        files=FilesLayout(
            reader="conllu",
            splits={split: f"ud/{{lang}}/{{code}}-ud-{split}.conllu" for split in ("train", "dev", "test")},
            codes=TREEBANKS,
        ),
        hub=HubLayout(
            repo="google/xtreme",
            config="udpos.{code}",
            splits={"train": "train", "dev": "validation", "test": "test"},
            columns={"words": "tokens", "tags": "pos_tags"},
            codes=HUB_NAMES,
        ),
        toy=toy("pos", "udpos"),
        licence="per treebank, several non-commercial",
        domain="Universal Dependencies: news, web, Wikipedia, fiction",
        citation="Nivre et al. 2020, arXiv 2004.10643",
    ),
    Dataset(
        name="panx",
        languages={"train": ("en",), "test": _PANX},
        # XTREME's test files carry no tags, so the dev files are what is evaluated.
        files=FilesLayout(reader="bio_tsv", splits={"train": "panx/train-{lang}.tsv", "test": "panx/dev-{lang}.tsv"}),
        hub=HubLayout(
            repo="google/xtreme",
            config="PAN-X.{code}",
            splits={"train": "train", "test": "test"},
            columns={"words": "tokens", "tags": "ner_tags"},
            codes={code: code for code in _PANX_XTREME},
        ),
        toy=toy("ner", "panx"),
        licence="that of Wikipedia",
        domain="Wikipedia, linked names",
        citation="Pan et al. 2017; splits of Rahimi et al. 2019, arXiv 1902.00193",
    ),
    Dataset(
        name="xquad",
        languages={"test": _XQUAD},
        files=FilesLayout(reader="squad_json", splits={"test": "xquad/xquad.{lang}.json"}),
        hub=HubLayout(repo="google/xquad", config="xquad.{lang}", splits={"test": "validation"}, columns=QA_COLUMNS),
        toy=toy("qa", "xquad"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation="Artetxe et al. 2020, arXiv 1910.11856",
    ),
    Dataset(
        name="mlqa",
        languages={"test": MLQA_LANGUAGES},
        files=FilesLayout(reader="squad_json", splits={"test": "mlqa/dev/dev-context-{lang}-question-{lang}.json"}),
        hub=HubLayout(repo="google/xtreme", config="MLQA.{lang}.{lang}", splits={"test": "test"}, columns=QA_COLUMNS),
        toy=toy("qa", "mlqa"),
        licence="CC BY-SA 3.0",
        domain="Wikipedia",
        citation="Lewis et al. 2020, arXiv 1910.07475",
    ),
    Dataset(
        name="tydiqa",
        languages={
            "train": tuple(_TYDIQA),
            "test": tuple(_TYDIQA),
            # The train files of the languages that a zero-shot model never trains on.
            "heldout": tuple(code for code in _TYDIQA if code != "en"),
        },
        files=FilesLayout(
            reader="squad_json",
            splits={
                "train": "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.{lang}.train.json",
                "heldout": "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.{lang}.train.json",
                "test": "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.{lang}.dev.json",
            },
            # An id of the train files means something within one file only, and there not always one question.
            options={"ids": "per_language"},
        ),
        hub=HubLayout(
            repo="google/xtreme",
            config="tydiqa",
            splits={"train": "train", "heldout": "train", "test": "validation"},
            columns=QA_COLUMNS,
            options={"keep_items_with": "{code}-"},
            codes=_TYDIQA,
        ),
        toy=toy("qa", "tydiqa"),
        licence="Apache-2.0",
        domain="Wikipedia",
        citation="Clark et al. 2020, arXiv 2003.05002",
    ),
    Dataset(
        name="tatoeba",
        languages={"test": tuple(_TATOEBA)},
        files=FilesLayout(
            reader="tatoeba",
            splits={"test": "tatoeba/tatoeba.{code}-eng.{code}|tatoeba/tatoeba.{code}-eng.eng"},
            codes=_TATOEBA,
        ),
        hub=HubLayout(
            repo="google/xtreme",
            config="tatoeba.{code}",
            splits={"test": "validation"},
            columns={"query": "target_sentence", "candidate": "source_sentence"},
            # XTREME-R's five are not there.
            codes={k: v for k, v in _TATOEBA.items() if k not in ("az", "lt", "pl", "ro", "uk")},
        ),
        toy=toy("retrieval", "tatoeba"),
        licence="CC BY 2.0 FR",
        domain="sentences of learners",
        citation="Artetxe and Schwenk 2019, arXiv 1812.10464",
    ),
    Dataset(
        name="xcopa",
        languages={"dev": _XCOPA, "test": _XCOPA},
        files=FilesLayout(
            reader="copa_jsonl",
            splits={"dev": "xcopa/{lang}/val.{lang}.jsonl", "test": "xcopa/{lang}/test.{lang}.jsonl"},
        ),
        hub=HubLayout(
            repo="cambridgeltl/xcopa",
            config="{lang}",
            splits={"dev": "validation", "test": "test"},
            columns=COPA_COLUMNS,
            options=COPA_OPTIONS,
        ),
        toy=toy("choice", "xcopa", num_choices=2),
        licence="CC BY 4.0",
        domain="everyday causes and effects",
        citation="Ponti et al. 2020, arXiv 2005.00333",
    ),
)
