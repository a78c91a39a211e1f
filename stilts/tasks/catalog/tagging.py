"""English tagging beside Universal Dependencies: names in CoNLL-2003, categories of CCGbank.

Both releases forbid copies, so there is none on the hub to be named: get them from who holds the rights, and put them
below the root as the layouts say. CCGbank is catalogue number LDC2005T13 of the Linguistic Data Consortium
(catalog.ldc.upenn.edu/LDC2005T13); its folder here bears that number, so the error for a missing file does. Its
sections are joined to one file: ``cat data/AUTO/0[2-9]/* data/AUTO/1*/* data/AUTO/2[01]/* > wsj_02-21.auto``.
"""

from __future__ import annotations

from stilts.tasks.catalog.ccg_categories import CATEGORIES, UNSEEN
from stilts.tasks.catalog.declaring import ENGLISH, intermediate
from stilts.tasks.catalog.tags import BIO
from stilts.tasks.catalog.toy_layout import toy
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Dataset, FilesLayout

_CONLL_FILES = {"train": "conll2003/eng.train", "dev": "conll2003/eng.testa"}
_CONLL_LICENCE = "Reuters corpus: research, non-commercial"
_CONLL_CITATION = "Tjong Kim Sang and De Meulder 2003, arXiv cs/0306050"

DATASETS = (
    Dataset(
        name="conll2003",
        languages=ENGLISH,
        files=FilesLayout(reader="bio_columns", splits=_CONLL_FILES, options={"columns": 4, "scheme": "iob1"}),
        toy=toy("ner", "conll2003"),
        licence=_CONLL_LICENCE,
        domain="news",
        citation=_CONLL_CITATION,
    ),
    # The same sentences with the three types of names that MasakhaNER has too.
    Dataset(
        name="conll2003_three",
        languages=ENGLISH,
        files=FilesLayout(
            reader="bio_columns",
            splits=_CONLL_FILES,
            options={"columns": 4, "scheme": "iob1", "label_map": {"B-MISC": "O", "I-MISC": "O"}},
        ),
        toy=toy("ner", "conll2003_three"),
        licence=_CONLL_LICENCE,
        domain="news",
        citation=_CONLL_CITATION,
    ),
    # ``unseen`` stands for all categories that a task does not list; the task below lists those of the grammar, and a
    # task file (docs/add_a_task.md) may list those of a user's own copy.
    Dataset(
        name="ccgbank",
        languages=ENGLISH,
        files=FilesLayout(
            reader="ccg_auto",
            splits={"train": "ccgbank_LDC2005T13/wsj_02-21.auto", "dev": "ccgbank_LDC2005T13/wsj_00.auto"},
            options={"unseen": "<unseen>"},
        ),
        licence="LDC User Agreement, non-commercial, no copies",
        domain="news",
        citation="Hockenmaier and Steedman 2007; LDC2005T13",
    ),
)

TASKS = (
    intermediate(
        "conll2003",
        TAGGING,
        "span_f1",
        (*BIO, "B-MISC", "I-MISC"),
        about="Names in Reuters news, four types, entity F1",
    ),
    intermediate(
        "ccg",
        TAGGING,
        "accuracy",
        (*CATEGORIES, UNSEEN),
        dataset="ccgbank",
        about="CCG supertagging: the category of each word in CCGbank, sections 02-21; categories beyond those of the "
        "manual are one label",
    ),
)
