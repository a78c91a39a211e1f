"""Multiple choice in English, on common sense."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import (
    CONVERTED,
    COPA_COLUMNS,
    COPA_OPTIONS,
    ENGLISH,
    HUB_SPLITS,
    intermediate,
)
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task

DATASETS = (
    Dataset(
        name="hellaswag",
        languages=ENGLISH,
        files=FilesLayout(
            reader="hellaswag_jsonl",
            splits={"train": "hellaswag/hellaswag_train.jsonl", "dev": "hellaswag/hellaswag_val.jsonl"},
        ),
        hub=HubLayout(
            repo="Rowan/hellaswag",
            splits=HUB_SPLITS,
            columns={"context": "ctx", "choices": "endings", "label": "label"},
        ),
        toy=toy("choice", "hellaswag"),
        licence="MIT",
        domain="captions of activities, wikiHow",
        citation="Zellers et al. 2019, arXiv 1905.07830",
    ),
    Dataset(
        name="cosmosqa",
        languages=ENGLISH,
        files=FilesLayout(reader="cosmos_csv", splits={"train": "cosmosqa/train.csv", "dev": "cosmosqa/valid.csv"}),
        hub=HubLayout(
            repo="allenai/cosmos_qa",
            revision=CONVERTED,
            splits=HUB_SPLITS,
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
        languages=ENGLISH,
        files=FilesLayout(
            reader="csqa_jsonl",
            splits={
                "train": "commonsenseqa/train_rand_split.jsonl",
                "dev": "commonsenseqa/dev_rand_split.jsonl",
            },
        ),
        hub=HubLayout(
            repo="tau/commonsense_qa",
            splits=HUB_SPLITS,
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
        languages={**ENGLISH, "test": ("en",)},
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
            splits={**HUB_SPLITS, "test": "test"},
            columns=COPA_COLUMNS,
            options=COPA_OPTIONS,
        ),
        toy=toy("choice", "copa", num_choices=2),
        licence="BSD 2-clause",
        domain="everyday causes and effects",
        citation="Roemmele et al. 2011",
    ),
    Dataset(
        name="socialiqa",
        languages=ENGLISH,
        files=FilesLayout(
            reader="choice_jsonl",
            splits={
                split: f"socialiqa-train-dev/{split}.jsonl|socialiqa-train-dev/{split}-labels.lst"
                for split in ("train", "dev")
            },
            options={
                "context": "context",
                "question": "question",
                "choices": "answerA,answerB,answerC",
                "first_choice": 1,
            },
        ),
        hub=HubLayout(
            repo="allenai/social_i_qa",
            revision=CONVERTED,
            splits=HUB_SPLITS,
            columns={
                "context": "context",
                "question": "question",
                "choices": "answerA,answerB,answerC",
                "label": "label",
            },
            options={"first_choice": 1},
        ),
        toy=toy("choice", "socialiqa", num_choices=3),
        # Looked for and not found: neither confirmed free nor forbidden. Ask the authors.
        licence="unknown",
        domain="everyday social situations",
        citation="Sap et al. 2019, arXiv 1904.09728",
    ),
    Dataset(
        name="piqa",
        languages=ENGLISH,
        files=FilesLayout(
            reader="choice_jsonl",
            splits={
                "train": "physicaliqa-train-dev/train.jsonl|physicaliqa-train-dev/train-labels.lst",
                "dev": "physicaliqa-train-dev/dev.jsonl|physicaliqa-train-dev/dev-labels.lst",
            },
            options={"context": "goal", "choices": "sol1,sol2"},
        ),
        hub=HubLayout(
            repo="ybisk/piqa",
            revision=CONVERTED,
            splits=HUB_SPLITS,
            columns={"context": "goal", "choices": "sol1,sol2", "label": "label"},
        ),
        toy=toy("choice", "piqa", num_choices=2),
        # So says the repository's card as well.
        licence="unknown",
        domain="instructions, physical common sense",
        citation="Bisk et al. 2020, arXiv 1911.11641",
    ),
    Dataset(
        name="winogrande",
        languages=ENGLISH,
        files=FilesLayout(
            reader="choice_jsonl",
            splits={"train": "winogrande_1.1/train_xl.jsonl", "dev": "winogrande_1.1/dev.jsonl"},
            options={
                "item": "qID",
                "context": "sentence",
                "choices": "option1,option2",
                "label": "answer",
                "first_choice": 1,
                "blank": "_",
            },
        ),
        hub=HubLayout(
            repo="allenai/winogrande",
            config="winogrande_xl",
            revision=CONVERTED,
            splits=HUB_SPLITS,
            columns={"context": "sentence", "choices": "option1,option2", "label": "answer"},
            options={"first_choice": 1, "blank": "_"},
        ),
        toy=toy("choice", "winogrande", num_choices=2),
        licence="CC BY 4.0",
        domain="pronouns in everyday sentences",
        citation="Sakaguchi et al. 2020, arXiv 1907.10641",
    ),
)


def _choice(name: str, about: str) -> Task:
    return intermediate(name, MULTIPLE_CHOICE, "accuracy", about=about)


TASKS = (
    _choice("hellaswag", "The likeliest ending of an everyday scene"),
    _choice("cosmosqa", "Reading between the lines of a blog"),
    _choice("commonsenseqa", "Common-sense questions, five choices"),
    _choice("copa", "The likelier cause or effect, two choices"),
    _choice("socialiqa", "Why people act and what they feel, three choices; XTREME-R trains on it before COPA"),
    _choice("piqa", "Which of two solutions reaches a physical goal"),
    _choice("winogrande", "Whom a pronoun means: which of two names fills the blank"),
)
