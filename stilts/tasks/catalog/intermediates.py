"""English intermediate tasks, and the datasets that targets share with them (MultiNLI, SQuAD).

``files`` is a folder of the releases' own formats. On the hub, ``refs/convert/parquet`` is the branch on which the hub
keeps a Parquet copy of a repository that has only a loading script.
"""

from __future__ import annotations

from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Kind, Part, SplitRef, Task

NLI_LABELS = ("entailment", "neutral", "contradiction")
PARAPHRASE_LABELS = ("0", "1")
CONVERTED = "refs/convert/parquet"
QA_COLUMNS = {"item": "id", "question": "question", "context": "context", "answers": "answers"}

_ENGLISH = {"train": ("en",), "dev": ("en",)}
_SPLITS = {"train": "train", "dev": "validation"}
_NLI_COLUMNS = {"text": "premise", "text_pair": "hypothesis", "label": "label"}

DATASETS = (
    Dataset(
        name="multinli",
        languages=_ENGLISH,
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
            columns=_NLI_COLUMNS,
            options={"skip_labels": ["-1", "-"]},
        ),
        toy=toy("nli", "multinli"),
        licence="OANC and others, see the paper",
        domain="ten genres of speech and writing",
        citation="Williams et al. 2018, arXiv 1704.05426",
    ),
    Dataset(
        name="snli",
        languages=_ENGLISH,
        files=FilesLayout(
            reader="nli_jsonl",
            splits={"train": "snli_1.0/snli_1.0_train.jsonl", "dev": "snli_1.0/snli_1.0_dev.jsonl"},
        ),
        hub=HubLayout(
            repo="stanfordnlp/snli",
            splits=_SPLITS,
            columns=_NLI_COLUMNS,
            options={"skip_labels": ["-1", "-"]},
        ),
        toy=toy("nli", "snli"),
        licence="CC BY-SA 4.0",
        domain="image captions",
        citation="Bowman et al. 2015, arXiv 1508.05326",
    ),
    Dataset(
        name="anli",
        languages=_ENGLISH,
        files=FilesLayout(
            reader="anli_jsonl",
            splits={
                split: "|".join(f"anli_v1.0/R{number}/{split}.jsonl" for number in (1, 2, 3))
                for split in ("train", "dev")
            },
            options={"label_map": {"e": "entailment", "n": "neutral", "c": "contradiction"}},
        ),
        hub=HubLayout(
            repo="facebook/anli",
            splits={"train": "train_r1+train_r2+train_r3", "dev": "dev_r1+dev_r2+dev_r3"},
            columns={"item": "uid", **_NLI_COLUMNS},
        ),
        toy=toy("nli", "anli"),
        licence="CC BY-NC 4.0",
        domain="Wikipedia, news, fiction, speech",
        citation="Nie et al. 2020, arXiv 1910.14599",
    ),
    Dataset(
        name="qqp",
        languages=_ENGLISH,
        files=FilesLayout(reader="glue_tsv", splits={"train": "qqp/train.tsv", "dev": "qqp/dev.tsv"}),
        hub=HubLayout(
            repo="nyu-mll/glue",
            config="qqp",
            splits=_SPLITS,
            columns={"item": "idx", "text": "question1", "text_pair": "question2", "label": "label"},
            options={"label_map": {"not_duplicate": "0", "duplicate": "1"}},
        ),
        toy=toy("paraphrase", "qqp"),
        licence="Quora's terms",
        domain="questions of Quora's users",
        citation="Wang et al. 2018 (GLUE), arXiv 1804.07461",
    ),
    Dataset(
        name="squad",
        languages=_ENGLISH,
        files=FilesLayout(reader="squad_json", splits={"train": "squad/train-v1.1.json", "dev": "squad/dev-v1.1.json"}),
        hub=HubLayout(repo="rajpurkar/squad", splits=_SPLITS, columns=QA_COLUMNS),
        toy=toy("qa", "squad"),
        licence="CC BY-SA 4.0",
        domain="Wikipedia",
        citation="Rajpurkar et al. 2016, arXiv 1606.05250",
    ),
    Dataset(
        name="hellaswag",
        languages=_ENGLISH,
        files=FilesLayout(
            reader="hellaswag_jsonl",
            splits={"train": "hellaswag/hellaswag_train.jsonl", "dev": "hellaswag/hellaswag_val.jsonl"},
        ),
        hub=HubLayout(
            repo="Rowan/hellaswag",
            splits=_SPLITS,
            columns={"context": "ctx", "choices": "endings", "label": "label"},
        ),
        toy=toy("choice", "hellaswag"),
        licence="MIT",
        domain="captions of activities, wikiHow",
        citation="Zellers et al. 2019, arXiv 1905.07830",
    ),
    Dataset(
        name="cosmosqa",
        languages=_ENGLISH,
        files=FilesLayout(reader="cosmos_csv", splits={"train": "cosmosqa/train.csv", "dev": "cosmosqa/valid.csv"}),
        hub=HubLayout(
            repo="allenai/cosmos_qa",
            revision=CONVERTED,
            splits=_SPLITS,
            columns={
                "item": "id",
                "context": "context",
                "question": "question",
                "choices": "answer0,answer1,answer2,answer3",
                "label": "label",
            },
        ),
        toy=toy("choice", "cosmosqa"),
        licence="CC BY 4.0",
        domain="personal blogs",
        citation="Huang et al. 2019, arXiv 1909.00277",
    ),
    Dataset(
        name="commonsenseqa",
        languages=_ENGLISH,
        files=FilesLayout(
            reader="csqa_jsonl",
            splits={
                "train": "commonsenseqa/train_rand_split.jsonl",
                "dev": "commonsenseqa/dev_rand_split.jsonl",
            },
        ),
        hub=HubLayout(
            repo="tau/commonsense_qa",
            splits=_SPLITS,
            columns={
                "item": "id",
                "question": "question",
                "choices": "choices.text",
                "choice_labels": "choices.label",
                "label": "answerKey",
            },
        ),
        toy=toy("choice", "commonsenseqa", num_choices=5),
        licence="MIT",
        domain="questions on ConceptNet",
        citation="Talmor et al. 2019, arXiv 1811.00937",
    ),
    Dataset(
        name="copa",
        languages={**_ENGLISH, "test": ("en",)},
        # The release here writes 0 under every test example: a placeholder, so the split counts as unlabelled.
        files=FilesLayout(
            reader="copa_jsonl",
            splits={
                "train": "xcopa/copa/train.en.jsonl",
                "dev": "xcopa/copa/val.en.jsonl",
                "test": "xcopa/copa/test.en.jsonl",
            },
            options={"unlabelled": ["test"]},
        ),
        hub=HubLayout(
            repo="aps/super_glue",
            config="copa",
            revision=CONVERTED,
            splits={**_SPLITS, "test": "test"},
            columns={
                "item": "idx",
                "context": "premise",
                "question": "question",
                "choices": "choice1,choice2",
                "label": "label",
            },
            options={"question_map": {"cause": "What was the cause?", "effect": "What was the effect?"}},
        ),
        toy=toy("choice", "copa", num_choices=2),
        licence="BSD 2-clause",
        domain="everyday causes and effects",
        citation="Roemmele et al. 2011",
    ),
)


def _intermediate(
    name: str, dataset: str, kind: Kind, metric: str, labels: tuple[str, ...] = (), *, about: str
) -> Task:
    return Task(
        name=name,
        kind=kind,
        metric=metric,
        labels=labels,
        train=SplitRef(dataset=dataset, split="train"),
        dev=SplitRef(dataset=dataset, split="dev"),
        description=about,
    )


TASKS = (
    _intermediate(
        "mnli",
        "multinli",
        Kind.CLASSIFICATION,
        "accuracy",
        NLI_LABELS,
        about="Natural language inference; it is also XNLI's English training set",
    ),
    _intermediate(
        "snli", "snli", Kind.CLASSIFICATION, "accuracy", NLI_LABELS, about="Natural language inference on captions"
    ),
    _intermediate(
        "anli",
        "anli",
        Kind.CLASSIFICATION,
        "accuracy",
        NLI_LABELS,
        about="Adversarial NLI, three rounds; mix it with mnli and snli for the paper's ANLI+",
    ),
    _intermediate(
        "qqp", "qqp", Kind.CLASSIFICATION, "accuracy", PARAPHRASE_LABELS, about="Whether two questions ask the same"
    ),
    # Not SQuAD's dev set, whose paragraphs are XQuAD's: a checkpoint chosen on it would have peeked at xquad.
    Task(
        name="squad",
        kind=Kind.SPAN_QA,
        metric="squad",
        train=SplitRef(dataset="squad", split="train", part=Part.REST),
        dev=SplitRef(dataset="squad", split="train", part=Part.TENTH),
        description="SQuAD 1.1, XQuAD's and MLQA's English training set; a tenth of it, not its dev set, is chosen by",
    ),
    _intermediate(
        "hellaswag", "hellaswag", Kind.MULTIPLE_CHOICE, "accuracy", about="The likeliest ending of an everyday scene"
    ),
    _intermediate(
        "cosmosqa", "cosmosqa", Kind.MULTIPLE_CHOICE, "accuracy", about="Reading between the lines of a blog"
    ),
    _intermediate(
        "commonsenseqa", "commonsenseqa", Kind.MULTIPLE_CHOICE, "accuracy", about="Common-sense questions, five choices"
    ),
    _intermediate("copa", "copa", Kind.MULTIPLE_CHOICE, "accuracy", about="The likelier cause or effect, two choices"),
)
