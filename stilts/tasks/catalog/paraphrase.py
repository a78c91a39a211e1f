"""Paraphrase and similarity in English: QQP, PAWS, MRPC, STS-B."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import ENGLISH, HUB_SPLITS, PARAPHRASE_LABELS, intermediate, on_one_split
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.regression import REGRESSION
from stilts.tasks.task import Dataset, FilesLayout, HubLayout

DATASETS = (
    Dataset(
        name="qqp",
        languages=ENGLISH,
        files=FilesLayout(reader="glue_tsv", splits={"train": "qqp/train.tsv", "dev": "qqp/dev.tsv"}),
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="qqp",
            splits=HUB_SPLITS,
            columns={"item": "idx", "text": "question1", "text_pair": "question2", "label": "label"},
            options={"label_map": {"not_duplicate": "0", "duplicate": "1"}},
        ),
        toy=toy("paraphrase", "qqp"),
        licence="Quora's terms",
        domain="questions of Quora's users",
        citation="Wang et al. 2018 (GLUE), arXiv 1804.07461",
    ),
    Dataset(
        name="paws",
        languages=ENGLISH,
        # The release's folder of Wikipedia pairs with labels checked by people.
        files=FilesLayout(
            reader="glue_tsv",
            splits={"train": "paws/final/train.tsv", "dev": "paws/final/dev.tsv"},
            options={"item": "id", "text": "sentence1", "text_pair": "sentence2", "label": "label"},
        ),
        hub=HubLayout(
            repo="google-research-datasets/paws",
            config="labeled_final",
            splits=HUB_SPLITS,
            columns={"item": "id", "text": "sentence1", "text_pair": "sentence2", "label": "label"},
        ),
        toy=toy("paraphrase", "paws"),
        licence="free, see the release",
        domain="Wikipedia, scrambled words",
        citation="Zhang et al. 2019, arXiv 1904.01130",
    ),
    Dataset(
        name="mrpc",
        languages=ENGLISH,
        # GLUE's files, which keep the columns of the release; an id names a sentence, not the pair.
        files=FilesLayout(
            reader="glue_tsv",
            splits={"train": "MRPC/train.tsv", "dev": "MRPC/dev.tsv"},
            options={"item": "", "text": "#1 String", "text_pair": "#2 String", "label": "Quality"},
        ),
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="mrpc",
            splits=HUB_SPLITS,
            columns={"item": "idx", "text": "sentence1", "text_pair": "sentence2", "label": "label"},
            options={"label_map": {"not_equivalent": "0", "equivalent": "1"}},
        ),
        toy=toy("paraphrase", "mrpc"),
        licence="unknown",
        domain="news",
        citation="Dolan and Brockett 2005",
    ),
    Dataset(
        name="stsb",
        languages=ENGLISH,
        # GLUE's files: the last column is the mean of five people's scores, 0 to 5.
        files=FilesLayout(reader="rated_tsv", splits={"train": "STS-B/train.tsv", "dev": "STS-B/dev.tsv"}),
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="stsb",
            splits=HUB_SPLITS,
            columns={"item": "idx", "text": "sentence1", "text_pair": "sentence2", "label": "label"},
        ),
        toy=toy("similarity", "stsb"),
        # Its parts come from several SemEval years and sources, each with terms of its own; one for all was not found.
        licence="unknown",
        domain="news, image captions, forums",
        citation="Cer et al. 2017, arXiv 1708.00055; as in Wang et al. 2018 (GLUE), arXiv 1804.07461",
    ),
)


TASKS = (
    intermediate("qqp", CLASSIFICATION, "accuracy", PARAPHRASE_LABELS, about="Whether two questions ask the same"),
    intermediate(
        "paws",
        CLASSIFICATION,
        "accuracy",
        PARAPHRASE_LABELS,
        about="Paraphrases with the words of what is none; its train is the English train of PAWS-X",
    ),
    intermediate(
        "mrpc", CLASSIFICATION, "accuracy", PARAPHRASE_LABELS, about="Whether two sentences of news say the same"
    ),
    intermediate(
        "stsb",
        REGRESSION,
        "pearson",
        ("0", "5"),
        about="How alike two sentences are, 0 to 5; Pearson's correlation",
    ),
    on_one_split(
        "pawsx_dev_en",
        CLASSIFICATION,
        "accuracy",
        PARAPHRASE_LABELS,
        dataset="pawsx",
        split="dev",
        about="PAWS in English for a folder without its train: nine tenths of PAWS-X's English dev train. That dev "
        "set chooses the target pawsx, so not before pawsx",
    ),
)
