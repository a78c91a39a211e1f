"""Universal Dependencies by language: which treebank a folder holds, and what the hub calls the language."""

from __future__ import annotations

from collections.abc import Mapping

# The treebank of each language's files, named as UD names its files.
TREEBANKS: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "af:af_afribooms ar:ar_pud bg:bg_btb de:de_gsd el:el_gdt en:en_ewt es:es_gsd et:et_edt eu:eu_bdt "
        "fa:fa_seraji fi:fi_tdt fr:fr_gsd he:he_htb hi:hi_pud hu:hu_szeged id:id_gsd it:it_isdt ja:ja_gsd "
        "kk:kk_ktb ko:ko_gsd lt:lt_alksnis mr:mr_ufal nl:nl_alpino pl:pl_pdb pt:pt_gsd ro:ro_rrt ru:ru_gsd "
        "ta:ta_ttb te:te_mtg th:th_pud tl:tl_trg tr:tr_imst uk:uk_iu ur:ur_udtb vi:vi_vtb yo:yo_ytb zh:zh_gsd"
    ).split()
)

# The languages of XTREME (2020), by the names of the hub's configurations.
HUB_NAMES: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "af:Afrikaans ar:Arabic bg:Bulgarian de:German el:Greek en:English es:Spanish et:Estonian eu:Basque "
        "fa:Persian fi:Finnish fr:French he:Hebrew hi:Hindi hu:Hungarian id:Indonesian it:Italian ja:Japanese "
        "kk:Kazakh ko:Korean mr:Marathi nl:Dutch pt:Portuguese ru:Russian ta:Tamil te:Telugu th:Thai "
        "tl:Tagalog tr:Turkish ur:Urdu vi:Vietnamese yo:Yoruba zh:Chinese"
    ).split()
)

# Kazakh, Thai, Tagalog and Yoruba have no dev set in UD 2.5.
HUB_DEV = tuple(code for code in HUB_NAMES if code not in ("kk", "th", "tl", "yo"))
