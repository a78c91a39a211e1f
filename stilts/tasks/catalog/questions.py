"""Questions on a text in English: SQuAD by span, BoolQ by yes or no. Those of other domains: ``domains.py``."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import ENGLISH, HUB_SPLITS, QA_COLUMNS, intermediate, rest_of, tenth_of
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task

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
        name="squad_v2",
        languages=ENGLISH,
        files=FilesLayout(
            reader="squad_json", splits={"train": "squad_v2/train-v2.0.json", "dev": "squad_v2/dev-v2.0.json"}
        ),
        hub=HubLayout(repo="rajpurkar/squad_v2", splits=HUB_SPLITS, columns=QA_COLUMNS),
        toy=toy("qa", "squad_v2", unanswerable_frac=0.3),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation="Rajpurkar et al. 2018, arXiv 1806.03822",
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
        kind=SPAN_QA,
        metric="squad",
        train=rest_of("squad"),
        dev=tenth_of("squad"),
        description="SQuAD 1.1, XQuAD's and MLQA's English training set; a tenth of it, not its dev set, is chosen by",
    ),
    # Nor its dev set: the paragraphs are those of SQuAD 1.1's.
    Task(
        name="squad_v2",
        kind=SPAN_QA,
        metric="squad_v2",
        train=rest_of("squad_v2"),
        dev=tenth_of("squad_v2"),
        description="SQuAD 2.0: a third of its questions have no answer in their paragraph; a tenth of train chooses",
    ),
    intermediate("boolq", CLASSIFICATION, "accuracy", YES_NO, about="Yes or no to a question on a passage"),
)
