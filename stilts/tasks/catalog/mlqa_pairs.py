"""MLQA with question and context in different languages: every pair, and each question language with all contexts.

``mlqa_<context>_<question>`` is one pair, as MLQA's own files name it (``mlqa_en_de``: English contexts, German
questions); ``mlqa_question_<question>`` is evaluated on all contexts, the context's language standing for the pair. The
language of a score is the context's, and so the answer's: MLQA's scorer normalises by it. The seven pairs of one
language are the target ``mlqa``.
"""

from __future__ import annotations

from itertools import permutations

from stilts.tasks.catalog.declaring import QA_COLUMNS, all_of, rest_of, tenth_of
from stilts.tasks.catalog.target_datasets import MLQA_LANGUAGES
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, Task


def _questions(language: str) -> Dataset:
    """Questions in one language: ``test`` on contexts in all seven, and a split per other language of contexts."""
    splits = {"test": MLQA_LANGUAGES, **{code: (code,) for code in MLQA_LANGUAGES if code != language}}
    path = f"mlqa/dev/dev-context-{{lang}}-question-{language}.json"
    return Dataset(
        name=f"mlqa_question_{language}",
        languages=splits,
        files=FilesLayout(reader="squad_json", splits=dict.fromkeys(splits, path)),
        hub=HubLayout(
            repo="google/xtreme",
            config=f"MLQA.{{lang}}.{language}",
            splits=dict.fromkeys(splits, "test"),
            columns=QA_COLUMNS,
        ),
        licence="CC BY-SA 3.0",
        domain="Wikipedia",
        citation="Lewis et al. 2020, arXiv 1910.07475",
    )


def _target(name: str, question: str, split: str, about: str) -> Task:
    return Task(
        name=name,
        kind=SPAN_QA,
        metric="mlqa",
        train=rest_of("squad"),
        dev=tenth_of("squad"),
        test=all_of(f"mlqa_question_{question}", split),
        trained_as="squad",
        group="qa",
        description=f"MLQA with the question in {question} and the context in {about}; English training is SQuAD",
    )


DATASETS = tuple(_questions(language) for language in MLQA_LANGUAGES)

TASKS = (
    *(_target(f"mlqa_question_{question}", question, "test", "the language evaluated") for question in MLQA_LANGUAGES),
    *(
        _target(f"mlqa_{context}_{question}", question, context, context)
        for context, question in permutations(MLQA_LANGUAGES, 2)
    ),
)
