"""Morphology and syntax by word, from Universal Dependencies: each feature, the whole bundle, UD supertags.

A task declares its labels. For one feature these are ``_`` (the word does not have it), the values of UD's guidelines
(universaldependencies.org/u/feat), and ``<other>`` for combined values (``Acc,Dat``) and those of one language only.
For bundles and supertags the inventory is that of the English train file (``feature_bundles.py``, ``supertags.py``),
and ``<unseen>`` stands for everything else. Both stand in the view's options and in the task's labels, hence in
identity. A gold ``<other>`` or ``<unseen>`` is a label like any other: to predict it there is right.

There is a task for every feature that English-EWT annotates; a feature that English lacks cannot be learned from it.
Features are evaluated in every language, which few English values carry far; bundles and supertags in English only.
Sentences that stand in dev or test are left out of train, as for ``udpos``.
"""

from __future__ import annotations

from stilts.tasks.catalog.declaring import all_of
from stilts.tasks.catalog.feature_bundles import BUNDLES
from stilts.tasks.catalog.supertags import SUPERTAGS
from stilts.tasks.catalog.tags import UPOS
from stilts.tasks.catalog.treebanks import TREEBANKS
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Dataset, FilesLayout, Task

NO_VALUE = "_"
OTHER = "<other>"
UNSEEN = "<unseen>"

# Values by UD's guidelines, version 2; ``ExtPos`` takes any part of speech.
FEATURES = {
    name: tuple(values.split())
    for name, values in {
        "Abbr": "Yes",
        "Case": "Abe Abl Abs Acc Add Ade All Ben Cau Cmp Cns Com Dat Del Dis Ela Equ Erg Ess Gen Ill Ine Ins Lat Loc "
        "Nom Par Per Sbe Sbl Spl Sub Sup Tem Ter Tra Voc",
        "Definite": "Com Cons Def Ind Spec",
        "Degree": "Abs Aug Cmp Dim Equ Pos Sup",
        "ExtPos": " ".join(UPOS),
        "Foreign": "Yes",
        "Gender": "Com Fem Masc Neut",
        "Mood": "Adm Cnd Des Imp Ind Int Irr Jus Nec Opt Pot Prp Qot Sub",
        "Number": "Coll Count Dual Grpa Grpl Inv Pauc Plur Ptan Sing Tri",
        "NumForm": "Combi Digit Roman Word",
        "NumType": "Card Dist Frac Mult Ord Range Sets",
        "Person": "0 1 2 3 4",
        "Polarity": "Neg Pos",
        "Poss": "Yes",
        "PronType": "Art Dem Emp Exc Ind Int Neg Prs Rcp Rel Tot",
        "Reflex": "Yes",
        "Style": "Arch Coll Expr Form Rare Slng Vrnc Vulg",
        "Tense": "Fut Imp Past Pqp Pres",
        "Typo": "Yes",
        "VerbForm": "Conv Fin Gdv Ger Inf Part Sup Vnoun",
        "Voice": "Act Antip Bfoc Cau Dir Inv Lfoc Mid Pass Rcp",
    }.items()
}


def _name(feature: str) -> str:
    return f"ud_{feature.lower()}"


def _dataset(name: str, column: str, unseen: str, languages: tuple[str, ...]) -> Dataset:
    return Dataset(
        name=name,
        languages={"train": ("en",), "dev": ("en",), "test": languages},
        files=FilesLayout(
            reader="conllu",
            splits={split: f"ud/{{lang}}/{{code}}-ud-{split}.conllu" for split in ("train", "dev", "test")},
            options={"column": column, "unseen": unseen},
            codes=TREEBANKS,
        ),
        licence="per treebank, several non-commercial",
        domain="Universal Dependencies: news, web, Wikipedia, fiction",
        citation="Nivre et al. 2020, arXiv 2004.10643",
    )


def _task(name: str, labels: tuple[str, ...], about: str) -> Task:
    return Task(
        name=name,
        kind=TAGGING,
        metric="accuracy",
        labels=labels,
        train=all_of(name, "train"),
        dev=all_of(name, "dev"),
        test=all_of(name, "test"),
        group="structured",
        on_overlap="exclude",
        description=about,
    )


DATASETS = (
    *(_dataset(_name(feature), f"feats.{feature}", OTHER, tuple(TREEBANKS)) for feature in FEATURES),
    _dataset("ud_feats", "feats", UNSEEN, ("en",)),
    _dataset("ud_supertags", "supertag", UNSEEN, ("en",)),
)

TASKS = (
    *(
        _task(
            _name(feature),
            (NO_VALUE, *values, OTHER),
            f"The feature {feature} of each word, accuracy over words; most words have none",
        )
        for feature, values in FEATURES.items()
    ),
    _task("ud_feats", (*BUNDLES, UNSEEN), "All morphological features of each English word as one label"),
    _task(
        "ud_supertags",
        (*SUPERTAGS, UNSEEN),
        "Part of speech, features, relation and side of the head of each English word as one label: a stand-in of the "
        "shape of CCG supertagging, and not it",
    ),
)
