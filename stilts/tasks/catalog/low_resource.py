"""Targets beside XTREME: MasakhaNER, AmericasNLI and MultiEURLEX."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import NLI_LABELS, all_of
from stilts.tasks.catalog.tags import BIO
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.multi_label import MULTI_LABEL
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task


def _codes(pairs: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in pairs.split())


# BCP-47 to the codes of the releases' files.
_MASAKHANER = _codes("am:amh ha:hau ig:ibo lg:lug luo:luo pcm:pcm rw:kin sw:swa wo:wol yo:yor")
_EURLEX = tuple("bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro sk sl sv".split())
# EUROVOC's 21 domains, by number as the release names them.
_DOMAINS = tuple(str(number) for number in range(100_142, 100_163))
_AMERICAS = _codes("ay:aym bzd:bzd cni:cni gn:gn hch:hch nah:nah oto:oto qu:quy shp:shp tar:tar")


DATASETS = (
    Dataset(
        name="masakhaner",
        languages={"test": tuple(_MASAKHANER)},
        # Dates are left out of the tags: English training data name none.
        files=FilesLayout(
            reader="bio_columns",
            splits={"test": "masakhaner/{code}/test.txt"},
            options={"label_map": {"B-DATE": "O", "I-DATE": "O"}},
            codes=_MASAKHANER,
        ),
        # The hub's repository has a loading script, and the columns of its converted copy are not verified: none named.
        toy=toy("ner", "masakhaner"),
        licence="CC BY-NC 4.0",
        domain="news",
        citation="Adelani et al. 2021, arXiv 2103.11811",
    ),
    Dataset(
        name="americasnli",
        languages={"dev": tuple(_AMERICAS), "test": tuple(_AMERICAS)},
        files=FilesLayout(
            reader="glue_tsv",
            splits={
                "dev": "americasnli/anli_final/dev/{code}.tsv",
                "test": "americasnli/anli_final/test/{code}.tsv",
            },
            options={
                "item": "id",
                "text": "premise",
                "text_pair": "hypothesis",
                "label": "label",
                "label_map": {"contradictory": "contradiction"},
            },
            codes=_AMERICAS,
        ),
        # Configurations as the repository's card names them; not verified against the repository.
        hub=HubLayout(
            repo="nala-cub/americas_nli",
            config="{code}",
            splits={"dev": "validation", "test": "test"},
            columns={"text": "premise", "text_pair": "hypothesis", "label": "label"},
            codes=_AMERICAS,
        ),
        toy=toy("nli", "americasnli"),
        licence="unknown",
        domain="ten genres of speech and writing, as XNLI",
        citation="Ebrahimi et al. 2022, arXiv 2104.08726",
    ),
    Dataset(
        name="multieurlex",
        languages={"train": _EURLEX, "dev": _EURLEX, "test": _EURLEX},
        # One file holds all languages; a law of the train file is absent in those that joined the EU after it.
        files=FilesLayout(
            reader="multi_label_jsonl",
            splits={split: f"multi_eurlex/{split}.jsonl" for split in ("train", "dev", "test")},
            options={"item": "celex_id", "text": "text", "labels": "eurovoc_concepts.level_1"},
        ),
        # Level 1 is what a configuration of one language has.
        hub=HubLayout(
            repo="coastalcph/multi_eurlex",
            config="{lang}",
            splits={"train": "train", "dev": "validation", "test": "test"},
            columns={"item": "celex_id", "text": "text", "labels": "labels"},
        ),
        toy=toy("topics", "multieurlex", labels=list(_DOMAINS)),
        licence="CC BY-SA 4.0",
        domain="laws of the European Union",
        citation="Chalkidis et al. 2021, arXiv 2109.00904",
    ),
)

TASKS = (
    Task(
        name="masakhaner",
        kind=TAGGING,
        metric="span_f1",
        labels=BIO,
        train=all_of("conll2003_three", "train"),
        dev=all_of("conll2003_three", "dev"),
        test=all_of("masakhaner", "test"),
        group="structured",
        description="Names of people, places and organisations in ten African languages, entity F1; English training "
        "is CoNLL-2003 without its fourth type, and dates are not asked for",
    ),
    Task(
        name="americasnli",
        kind=CLASSIFICATION,
        metric="accuracy",
        labels=NLI_LABELS,
        train=all_of("multinli", "train"),
        dev=all_of("multinli", "dev"),
        test=all_of("americasnli", "test"),
        trained_as="mnli",
        group="classification",
        description="XNLI in ten Indigenous languages of the Americas; English training is MultiNLI, whose dev chooses",
    ),
    Task(
        name="multieurlex",
        kind=MULTI_LABEL,
        metric="r_precision",
        labels=_DOMAINS,
        train=all_of("multieurlex", "train"),
        dev=all_of("multieurlex", "dev"),
        test=all_of("multieurlex", "test"),
        group="classification",
        description="Which of EUROVOC's 21 domains a law of the EU belongs to, in 23 languages, mean R-precision. Laws "
        "are long: what lies beyond max_length is not read",
    ),
)
