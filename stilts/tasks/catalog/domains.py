"""English tasks of a domain: PubMedQA, MedMCQA, PolicyQA, CaseHOLD, ContractNLI, SubjQA."""

from __future__ import annotations

from stilts.tasks.catalog.declaring import ENGLISH, HUB_SPLITS, NLI_LABELS, all_of, intermediate, on_one_split
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task

_YES_NO_MAYBE = ("yes", "no", "maybe")
_MEDICAL_CHOICES = "opa,opb,opc,opd"
_HOLDINGS = ",".join(f"holding_{number}" for number in range(5))

# SubjQA's domains that are declared, with what their reviews are of.
_REVIEWS = {"electronics": "reviews of electronics on Amazon", "restaurants": "reviews of restaurants on Yelp"}


def _subjqa(domain: str) -> Dataset:
    """One domain of SubjQA. The hub's repository has a loading script, and no converted copy is verified."""
    return Dataset(
        name=f"subjqa_{domain}",
        languages={**ENGLISH, "test": ("en",)},
        files=FilesLayout(
            reader="subjqa_csv",
            splits={split: f"subjqa/{domain}/splits/{split}.csv" for split in ("train", "dev", "test")},
            # A few reviews are asked about in two splits, with other questions.
            options={"exclude_by": "paragraph"},
        ),
        toy=toy("qa", f"subjqa_{domain}", unanswerable_frac=0.5),
        licence="unknown",
        domain=_REVIEWS[domain],
        citation="Bjerva et al. 2020, arXiv 2004.14283",
    )


DATASETS = (
    Dataset(
        name="pubmedqa",
        languages={"train": ("en",)},
        files=FilesLayout(reader="pubmedqa_json", splits={"train": "pubmedqa/ori_pqal.json"}),
        hub=HubLayout(
            repo="qiaojin/PubMedQA",
            config="pqa_labeled",
            splits={"train": "train"},
            columns={
                "item": "pubid",
                "text": "question",
                "text_pair": "context.contexts",
                "label": "final_decision",
            },
        ),
        licence="MIT",
        domain="biomedical abstracts",
        citation="Jin et al. 2019, arXiv 1909.06146",
    ),
    Dataset(
        name="medmcqa",
        languages=ENGLISH,
        # One JSON object per line, whatever the files are called; choices count from 1 here, from 0 on the hub.
        files=FilesLayout(
            reader="choice_jsonl",
            splits={"train": "medmcqa/train.json", "dev": "medmcqa/dev.json"},
            options={
                "item": "id",
                "question": "question",
                "choices": _MEDICAL_CHOICES,
                "label": "cop",
                "first_choice": 1,
            },
        ),
        hub=HubLayout(
            repo="openlifescienceai/medmcqa",
            splits=HUB_SPLITS,
            columns={"item": "id", "question": "question", "choices": _MEDICAL_CHOICES, "label": "cop"},
        ),
        toy=toy("choice", "medmcqa", num_choices=4),
        licence="Apache-2.0",
        domain="medical entrance examinations",
        citation="Pal et al. 2022, arXiv 2203.14371",
    ),
    Dataset(
        name="policyqa",
        languages={**ENGLISH, "test": ("en",)},
        # No copy on the hub is known to keep positions of answers.
        files=FilesLayout(
            reader="squad_json", splits={split: f"policyqa/{split}.json" for split in ("train", "dev", "test")}
        ),
        toy=toy("qa", "policyqa"),
        licence="MIT",
        domain="privacy policies",
        citation="Ahmad et al. 2020, arXiv 2010.02557",
    ),
    Dataset(
        name="casehold",
        languages=ENGLISH,
        # Columns by the names that code for the release gives them; not verified against its files.
        files=FilesLayout(
            reader="choice_csv",
            splits={"train": "casehold/train.csv", "dev": "casehold/val.csv"},
            options={"context": "citing_prompt", "choices": _HOLDINGS, "label": "label"},
        ),
        # LexGLUE divides the same cases otherwise: 45,000 to train.
        hub=HubLayout(
            repo="coastalcph/lex_glue",
            config="case_hold",
            splits=HUB_SPLITS,
            columns={"context": "context", "choices": "endings", "label": "label"},
        ),
        toy=toy("choice", "casehold", num_choices=5),
        licence="CC BY 4.0",
        domain="decisions of US courts",
        citation="Zheng et al. 2021, arXiv 2104.08671",
    ),
    Dataset(
        name="contractnli",
        languages=ENGLISH,
        files=FilesLayout(
            reader="contract_nli_json",
            splits={"train": "contract-nli/train.json", "dev": "contract-nli/dev.json"},
            options={
                "label_map": {"Entailment": "entailment", "Contradiction": "contradiction", "NotMentioned": "neutral"}
            },
        ),
        # Copies on the hub have a loading script and cut the contracts in ways of their own, so none is named.
        toy=toy("nli", "contractnli"),
        licence="CC BY 4.0",
        domain="non-disclosure agreements",
        citation="Koreeda and Manning 2021, arXiv 2110.01799",
    ),
    *map(_subjqa, _REVIEWS),
)

TASKS = (
    on_one_split(
        "pubmedqa",
        CLASSIFICATION,
        "accuracy",
        _YES_NO_MAYBE,
        dataset="pubmedqa",
        split="train",
        about="Yes, no or maybe to a biomedical question on an abstract; the thousand questions labelled by experts, "
        "of which a tenth chooses",
    ),
    intermediate("medmcqa", MULTIPLE_CHOICE, "accuracy", about="Questions of medical entrance examinations"),
    intermediate("policyqa", SPAN_QA, "squad", about="Questions on privacy policies, answers by span"),
    on_one_split(
        "policyqa_dev",
        SPAN_QA,
        "squad",
        dataset="policyqa",
        split="dev",
        about="PolicyQA for a folder without its train: nine tenths of its dev train",
    ),
    intermediate("casehold", MULTIPLE_CHOICE, "accuracy", about="The holding that a court cites, five choices"),
    intermediate(
        "contractnli",
        CLASSIFICATION,
        "accuracy",
        NLI_LABELS,
        about="Whether a clause follows from a contract. Contracts are long: what lies beyond max_length is not read",
    ),
    *(
        Task(
            name=f"subjqa_{domain}",
            kind=SPAN_QA,
            metric="squad_v2",
            train=all_of(f"subjqa_{domain}", "train"),
            dev=all_of(f"subjqa_{domain}", "dev"),
            test=all_of(f"subjqa_{domain}", "test"),
            group="qa",
            # Nearly all of the release's dev set stands in its train set.
            on_overlap="exclude",
            description=f"Questions on {_REVIEWS[domain]}, half of them without an answer; a target in English only",
        )
        for domain in _REVIEWS
    ),
)
