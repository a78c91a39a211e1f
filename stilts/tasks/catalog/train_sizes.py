"""How many labelled examples the English train of each release has; a folder may hold fewer.

Beside the declarations and not in them: a size is something to read, and no part of what a dataset is. Figures are the
papers' or the releases', written down as known; looked up in the hub's own counts were Cosmos QA, MedMCQA,
MultiEURLEX, PIQA, Social IQA, STS-B and WinoGrande, and they agree. Not confirmed is CaseHOLD, whose release has about
53,000 in all (LexGLUE, which the hub layout reads, gives 45,000 of them to train, by the repository's card). NLI's are
without pairs that have no gold label. Where a release has no split of its own (``pubmedqa``, ``joci``) it is what the
layout here gives to train.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stilts.tasks.catalog import morphology

# English-EWT alone, in sentences; XTREME's ``udpos`` joins all English treebanks.
_ENGLISH_EWT = 12_544

NUM_TRAIN: Mapping[str, int] = MappingProxyType(
    {
        "anli": 162_865,
        "anli_plus": 1_104_934,
        "boolq": 9_427,
        "casehold": 42_509,
        "ccgbank": 39_604,
        "commonsenseqa": 9_741,
        "conll2003": 14_041,
        "conll2003_three": 14_041,
        "contractnli": 7_191,
        "copa": 400,
        "cosmosqa": 25_262,
        "hellaswag": 39_905,
        "joci": 8_412,
        "medmcqa": 182_822,
        "mewslix_pairs": 167_719,
        "mpe": 8_000,
        "mrpc": 3_668,
        "multieurlex": 55_000,
        "multinli": 392_702,
        "panx": 20_000,
        "paws": 49_401,
        "pawsx": 49_401,
        "piqa": 16_113,
        "policyqa": 17_056,
        "pubmedqa": 1_000,
        "qnli": 104_743,
        "qqp": 363_846,
        "rte": 2_490,
        # The paper's; by the card of allenai/scitail its "tsv_format", which the hub layout reads, has 23,097.
        "scitail": 23_596,
        "sick": 4_439,
        "snli": 549_367,
        "socialiqa": 33_410,
        "squad": 87_599,
        "squad_sentences": 87_599,
        "stsb": 5_749,
        "squad_v2": 130_319,
        "subjqa_electronics": 1_295,
        "subjqa_restaurants": 1_400,
        "tydiqa": 3_696,
        "udpos": 21_253,
        "winogrande": 40_398,
        **{dataset.name: _ENGLISH_EWT for dataset in morphology.DATASETS},
    }
)
