"""Targets of XTREME and XTREME-R: English training data, evaluation in many languages.

``target_datasets.py`` says where the data lie. ``dev`` follows DESIGN rule 6: the official English dev set where it is
no evaluation data, else a tenth of English train.
"""

from __future__ import annotations

from stilts.tasks.catalog.declaring import NLI_LABELS, PARAPHRASE_LABELS, all_of, rest_of, tenth_of
from stilts.tasks.catalog.tags import BIO, UPOS
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Task

TASKS = (
    Task(
        name="xnli",
        kind=CLASSIFICATION,
        metric="accuracy",
        labels=NLI_LABELS,
        train=all_of("multinli", "train"),
        dev=all_of("xnli", "dev"),
        test=all_of("xnli", "test"),
        trained_as="mnli",
        group="classification",
        description="Natural language inference; English training is MultiNLI",
    ),
    Task(
        name="pawsx",
        kind=CLASSIFICATION,
        metric="accuracy",
        labels=PARAPHRASE_LABELS,
        train=all_of("pawsx", "train"),
        dev=all_of("pawsx", "dev"),
        test=all_of("pawsx", "test"),
        group="classification",
        # 25 pairs of German dev stand in German test.
        on_overlap="exclude",
        description="Adversarial paraphrases. A folder without train-en.tsv can be evaluated but not trained on: take "
        "English train from the hub, or train on another paraphrase task",
    ),
    Task(
        name="udpos",
        kind=TAGGING,
        metric="accuracy",
        labels=UPOS,
        train=all_of("udpos", "train"),
        dev=all_of("udpos", "dev"),
        test=all_of("udpos", "test"),
        group="structured",
        on_overlap="exclude",
        description="Universal parts of speech, accuracy over words (XTREME's own figure is a chunk F1: udpos_f1). "
        "English-EWT repeats short sentences between its splits",
    ),
    Task(
        name="udpos_f1",
        kind=TAGGING,
        metric="chunk_f1",
        labels=UPOS,
        train=all_of("udpos", "train"),
        dev=all_of("udpos", "dev"),
        test=all_of("udpos", "test"),
        trained_as="udpos",
        group="structured",
        on_overlap="exclude",
        description="The target udpos scored as XTREME's own scorer does, by F1 of runs of tags; all training is "
        "shared with udpos",
    ),
    Task(
        name="panx",
        kind=TAGGING,
        metric="span_f1",
        labels=BIO,
        train=rest_of("panx"),
        dev=tenth_of("panx"),
        test=all_of("panx", "test"),
        group="structured",
        on_overlap="exclude",
        description="Names of people, places and organisations (WikiANN), entity F1. Sentences repeat between splits",
    ),
    Task(
        name="xquad",
        kind=SPAN_QA,
        metric="squad",
        train=rest_of("squad"),
        dev=tenth_of("squad"),
        test=all_of("xquad", "test"),
        trained_as="squad",
        group="qa",
        description="SQuAD questions in many languages. SQuAD's dev set is no dev set for it: its paragraphs are "
        "XQuAD's, so a tenth of SQuAD's train chooses",
    ),
    Task(
        name="mlqa",
        kind=SPAN_QA,
        metric="mlqa",
        train=rest_of("squad"),
        dev=tenth_of("squad"),
        test=all_of("mlqa", "test"),
        trained_as="squad",
        group="qa",
        description="Questions on Wikipedia, question and context in one language; English training is SQuAD",
    ),
    Task(
        name="tydiqa",
        kind=SPAN_QA,
        metric="squad",
        train=rest_of("tydiqa"),
        dev=tenth_of("tydiqa"),
        test=all_of("tydiqa", "test"),
        group="qa",
        description="Questions asked before the answer was known (GoldP), evaluated on the release's dev files. Where "
        "these hold placeholders for answers there is nothing to score by",
    ),
    Task(
        name="tydiqa_heldout",
        kind=SPAN_QA,
        metric="squad",
        train=rest_of("tydiqa"),
        dev=tenth_of("tydiqa"),
        test=all_of("tydiqa", "heldout"),
        trained_as="tydiqa",
        group="qa",
        description="TyDiQA trained on English and evaluated on the train files of the other languages, which it "
        "never sees; for a folder whose dev files hold placeholders. Not a figure that anybody publishes",
    ),
    Task(
        name="tydiqa_en",
        kind=SPAN_QA,
        metric="squad",
        train=rest_of("tydiqa"),
        dev=tenth_of("tydiqa"),
        trained_as="tydiqa",
        description="TyDiQA's English questions as an intermediate task: the training data of the target tydiqa",
    ),
    Task(
        name="tatoeba",
        kind=RETRIEVAL,
        metric="retrieval_accuracy",
        test=all_of("tatoeba", "test"),
        group="retrieval",
        description="For each English sentence the nearest of the language's, with the encoder as it is",
    ),
    Task(
        name="xcopa",
        kind=MULTIPLE_CHOICE,
        metric="accuracy",
        train=all_of("copa", "train"),
        dev=all_of("copa", "dev"),
        test=all_of("xcopa", "test"),
        group="classification",
        description="The likelier cause or effect (XTREME-R); English training is COPA, whose test set is unlabelled",
    ),
    # scripts/train_xcopa.sh of XTREME-R's release: five epochs on Social IQA, then five on COPA.
    Task(
        name="xcopa_siqa",
        kind=MULTIPLE_CHOICE,
        metric="accuracy",
        train=all_of("copa", "train"),
        dev=all_of("copa", "dev"),
        test=all_of("xcopa", "test"),
        group="classification",
        trained_as="xcopa",
        after="socialiqa",
        description="The target xcopa, trained as XTREME-R trains it: on Social IQA, then on COPA",
    ),
)
