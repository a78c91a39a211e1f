"""Questions on a text in English: SQuAD 1.1 by span, BoolQ by yes or no. Those on medicine and law: ``domains.py``."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import ENGLISH, HUB_SPLITS, QA_COLUMNS, intermediate, rest_of, tenth_of
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Kind, Task

YES_NO = ("yes", "no")
_TRUTH = {"True": "yes", "False": "no"}

DATASETS = (
    Dataset(
        name="squad",
        languages=ENGLISH,
        files=FilesLayout(reader="squad_json", splits={"train": "squad/train-v1.1.json", "dev": "squad/dev-v1.1.json"}),
        hub=HubLayout(repo="rajpurkar/squad", splits=HUB_SPLITS, columns=QA_COLUMNS),
        toy=toy("qa", "squad"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation="Rajpurkar et al. 2016, arXiv 1606.05250",
    ),
    Dataset(
        name="boolq",
        languages=ENGLISH,
        files=FilesLayout(
            reader="pair_jsonl",
            splits={"train": "boolq/train.jsonl", "dev": "boolq/dev.jsonl"},
            options={"text": "question", "text_pair": "passage", "label": "answer", "label_map": dict(_TRUTH)},
        ),
        hub=HubLayout(
            repo="google/boolq",
            splits=HUB_SPLITS,
            columns={"text": "question", "text_pair": "passage", "label": "answer"},
            options={"label_map": dict(_TRUTH)},
        ),
        licence="CC BY-SA 3.0",
        domain="search queries, Wikipedia",
        citation="Clark et al. 2019, arXiv 1905.10044",
    ),
)

TASKS = (
    # Not SQuAD's dev set, whose paragraphs are XQuAD's: a checkpoint chosen on it would have peeked at xquad.
    Task(
        name="squad",
        kind=Kind.SPAN_QA,
        metric="squad",
        train=rest_of("squad"),
        dev=tenth_of("squad"),
        description="SQuAD 1.1, XQuAD's and MLQA's English training set; a tenth of it, not its dev set, is chosen by",
    ),
    intermediate("boolq", Kind.CLASSIFICATION, "accuracy", YES_NO, about="Yes or no to a question on a passage"),
)
