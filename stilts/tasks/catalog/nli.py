"""Natural language inference in English: three labels (MNLI, SNLI, ANLI, SICK, MPE, JOCI) or two (RTE, QNLI, SciTail).

The six recast sets are read as CSV of premise, hypothesis and label, one folder each below ``nli_english``; on the hub
stand the releases. ``anli_plus`` is one split made of three releases' files, so each takes part by its size.
"""

from __future__ import annotations

from stilts.tasks.catalog.declaring import (
    ENGLISH,
    HUB_SPLITS,
    NLI_LABELS,
    TWO_WAY_LABELS,
    intermediate,
    on_one_split,
)
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task

NLI_COLUMNS = {"text": "premise", "text_pair": "hypothesis", "label": "label"}
_ANLI_FILES = {
    split: "|".join(f"anli_v1.0/R{number}/{split}.jsonl" for number in (1, 2, 3)) for split in ("train", "dev")
}
_ANLI_LABELS = {"e": "entailment", "n": "neutral", "c": "contradiction"}


def _recast(
    name: str,
    *,
    licence: str,
    domain: str,
    citation: str,
    hub: HubLayout | None = None,
    three_way: bool = False,
) -> Dataset:
    return Dataset(
        name=name,
        languages=ENGLISH,
        files=FilesLayout(
            reader="nli_csv",
            splits={split: f"nli_english/{name}/{split}.csv" for split in ("train", "dev")},
        ),
        hub=hub,
        toy=toy("nli", name) if three_way else None,
        licence=licence,
        domain=domain,
        citation=citation,
    )


DATASETS = (
    Dataset(
        name="multinli",
        languages=ENGLISH,
        files=FilesLayout(
            reader="nli_jsonl",
            splits={
                "train": "multinli_1.0/multinli_1.0_train.jsonl",
                "dev": "multinli_1.0/multinli_1.0_dev_matched.jsonl",
            },
        ),
        hub=HubLayout(
            repo="nyu-mll/multi_nli",
            splits={"train": "train", "dev": "validation_matched"},
            columns=NLI_COLUMNS,
            options={"skip_labels": ["-1", "-"]},
        ),
        toy=toy("nli", "multinli"),
        licence="OANC and others, see the paper",
        domain="ten genres of speech and writing",
        citation="Williams et al. 2018, arXiv 1704.05426",
    ),
    Dataset(
        name="snli",
        languages=ENGLISH,
        files=FilesLayout(
            reader="nli_jsonl",
            splits={"train": "snli_1.0/snli_1.0_train.jsonl", "dev": "snli_1.0/snli_1.0_dev.jsonl"},
        ),
        hub=HubLayout(
            repo="stanfordnlp/snli",
            splits=HUB_SPLITS,
            columns=NLI_COLUMNS,
            options={"skip_labels": ["-1", "-"]},
        ),
        toy=toy("nli", "snli"),
        licence="CC BY-SA 4.0",
        domain="image captions",
        citation="Bowman et al. 2015, arXiv 1508.05326",
    ),
    Dataset(
        name="anli",
        languages=ENGLISH,
        files=FilesLayout(
            reader="anli_jsonl",
            splits=_ANLI_FILES,
            options={"label_map": dict(_ANLI_LABELS)},
        ),
        hub=HubLayout(
            repo="facebook/anli",
            splits={"train": "train_r1+train_r2+train_r3", "dev": "dev_r1+dev_r2+dev_r3"},
            columns={"item": "uid", **NLI_COLUMNS},
        ),
        toy=toy("nli", "anli"),
        licence="CC BY-NC 4.0",
        domain="Wikipedia, news, fiction, speech",
        citation="Nie et al. 2020, arXiv 1910.14599",
    ),
    Dataset(
        name="anli_plus",
        languages=ENGLISH,
        files=FilesLayout(
            reader="nli_releases_jsonl",
            splits={
                "train": "multinli_1.0/multinli_1.0_train.jsonl|snli_1.0/snli_1.0_train.jsonl|" + _ANLI_FILES["train"],
                "dev": "multinli_1.0/multinli_1.0_dev_matched.jsonl|snli_1.0/snli_1.0_dev.jsonl|" + _ANLI_FILES["dev"],
            },
            options={"label_map": dict(_ANLI_LABELS)},
        ),
        # No repository holds the three together: on the hub, write a mixture of mnli, snli and anli.
        toy=toy("nli", "anli_plus"),
        licence="CC BY-NC 4.0 (ANLI), CC BY-SA 4.0 (SNLI), OANC (MultiNLI)",
        domain="ten genres of speech and writing, image captions, Wikipedia",
        citation="Nie et al. 2020, arXiv 1910.14599; as mixed in Phang et al. 2020, arXiv 2005.13013",
    ),
    _recast(
        "qnli",
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="qnli",
            splits=HUB_SPLITS,
            columns={"item": "idx", "text": "question", "text_pair": "sentence", "label": "label"},
        ),
        licence="CC BY-SA 4.0",
        domain="Wikipedia, SQuAD's questions",
        citation="Wang et al. 2018 (GLUE), arXiv 1804.07461",
    ),
    _recast(
        "rte",
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="rte",
            splits=HUB_SPLITS,
            columns={"item": "idx", "text": "sentence1", "text_pair": "sentence2", "label": "label"},
        ),
        licence="unknown",
        domain="news, Wikipedia",
        citation="Dagan et al. 2006 and later challenges; as in Wang et al. 2018 (GLUE), arXiv 1804.07461",
    ),
    _recast(
        "scitail",
        # Columns by the repository's card; the names of its labels are the paper's, and were not looked up there.
        hub=HubLayout(
            repo="allenai/scitail",
            config="tsv_format",
            splits=HUB_SPLITS,
            columns=NLI_COLUMNS,
            options={"label_map": {"entails": "entailment", "neutral": "not_entailment"}},
        ),
        licence="unknown",
        domain="school science",
        citation="Khot et al. 2018",
    ),
    _recast(
        "sick",
        licence="CC BY-NC-SA 3.0",
        domain="captions of images and videos",
        citation="Marelli et al. 2014",
        three_way=True,
    ),
    _recast(
        "mpe",
        licence="unknown",
        domain="image captions, four to a premise",
        citation="Lai et al. 2017, arXiv 1710.02925",
        three_way=True,
    ),
    # The release rates likelihood from 1 to 5 and has no split; nine thousand pairs were recast to three labels.
    _recast(
        "joci",
        licence="unknown",
        domain="image captions, common sense",
        citation="Zhang et al. 2017, arXiv 1611.00601",
        three_way=True,
    ),
)


def _nli(name: str, labels: tuple[str, ...] = NLI_LABELS, *, about: str, dataset: str = "") -> Task:
    return intermediate(name, CLASSIFICATION, "accuracy", labels, about=about, dataset=dataset)


TASKS = (
    _nli("mnli", dataset="multinli", about="Natural language inference; it is also XNLI's English training set"),
    _nli("snli", about="Natural language inference on captions"),
    _nli("anli", about="Adversarial NLI, three rounds; mix it with mnli and snli for the paper's ANLI+"),
    _nli(
        "anli_plus",
        about="The paper's ANLI+: ANLI's three rounds, MNLI and SNLI as one training set, each by its size. It holds "
        "XNLI's English training set",
    ),
    _nli("qnli", TWO_WAY_LABELS, about="Whether a sentence answers the question (SQuAD's, recast)"),
    _nli("rte", TWO_WAY_LABELS, about="Whether a sentence follows from a text; small"),
    _nli("scitail", TWO_WAY_LABELS, about="Whether a science fact follows from a sentence of the web"),
    _nli("sick", about="Natural language inference on changed captions"),
    _nli("mpe", about="Natural language inference from four captions of one scene"),
    _nli("joci", about="Natural language inference, ordinal likelihood recast to three labels"),
    on_one_split(
        "qnli_dev",
        CLASSIFICATION,
        "accuracy",
        TWO_WAY_LABELS,
        dataset="qnli",
        split="dev",
        about="QNLI for a folder that has its dev file only: nine tenths of it train. Its questions are SQuAD's dev "
        "set's, whose paragraphs XQuAD translates: not before xquad",
    ),
    on_one_split(
        "scitail_dev",
        CLASSIFICATION,
        "accuracy",
        TWO_WAY_LABELS,
        dataset="scitail",
        split="dev",
        about="SciTail for a folder that has its dev (or test) file only: nine tenths of it train",
    ),
)
