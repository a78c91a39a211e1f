"""The categories of combinatory categorial grammar that the task ``ccg`` tells apart; all others are ``<unseen>``.

They are built from the grammar, not read from a corpus: arguments that verbs take in CCGbank's manual (Hockenmaier and
Steedman 2005, MS-CIS-05-09) with each form of the verb, and its function words, nouns and marks. Those that never occur
cost one unused label each. CCGbank may not be copied, so how many of its words they cover was not measured here.
"""

from __future__ import annotations

UNSEEN = "<unseen>"

# Finite, bare, -ing, past participle, passive. ``V`` is the verb phrase of the form.
_FORMS = ("dcl", "b", "ng", "pt", "pss")
_FRAMES = (
    r"{V} ({V})/NP ({V})/PP ({V})/PR ({V})/S[dcl] ({V})/S[em] ({V})/S[qem] ({V})/(S[to]\NP) ({V})/(S[b]\NP) "
    r"({V})/(S[ng]\NP) ({V})/(S[pt]\NP) ({V})/(S[pss]\NP) ({V})/(S[adj]\NP) (({V})/NP)/NP (({V})/PP)/NP (({V})/PP)/PP "
    r"(({V})/NP)/PR (({V})/PP)/PR (({V})/PR)/NP (({V})/S[dcl])/NP (({V})/S[em])/NP (({V})/S[em])/PP (({V})/S[qem])/NP "
    r"(({V})/(S[to]\NP))/NP (({V})/(S[to]\NP))/PP (({V})/(S[b]\NP))/NP (({V})/(S[ng]\NP))/NP (({V})/(S[pss]\NP))/NP "
    r"(({V})/(S[adj]\NP))/NP"
).split()
_EXPLETIVE = (
    r"(S[{f}]\NP[thr])/NP (S[{f}]\NP[expl])/S[em] (S[{f}]\NP[expl])/(S[to]\NP) "
    r"((S[{f}]\NP[expl])/S[em])/(S[adj]\NP) ((S[{f}]\NP[expl])/(S[to]\NP))/(S[adj]\NP) "
    r"((S[{f}]\NP[expl])/S[dcl])/(S[adj]\NP)"
).split()
_NOUNS = (
    r"N N/N (N/N)/(N/N) (N/N)\(N/N) N/PP N\N (N\N)/NP N/(S[to]\NP) N/S[em] (N/N)/PP NP NP[expl] NP[thr] NP[nb]/N NP/NP "
    r"NP[nb]/NP (NP[nb]/N)\NP (NP[nb]/N)/(NP[nb]/N) NP\NP (NP\NP)/NP (NP\NP)/N (NP\NP)/PP (NP\NP)\NP (NP\NP)/(NP\NP) "
    r"(NP\NP)\(NP\NP) ((NP\NP)\(NP\NP))/NP (NP\NP)/S[dcl] (NP\NP)/(S[dcl]\NP) (NP\NP)/(S[dcl]/NP) (NP\NP)/(S[ng]\NP) "
    r"(NP\NP)/(S[to]\NP) (NP\NP)/(S[adj]\NP) ((NP\NP)/S[dcl])\((NP\NP)/NP) ((NP\NP)/(S[dcl]\NP))\((NP\NP)/NP) "
    r"NP/(S[dcl]\NP) NP/(S[dcl]/NP) NP/S[dcl] NP/(NP\NP) NP/PP"
).split()
_MODIFIERS = (
    r"(S\NP)\(S\NP) (S\NP)/(S\NP) ((S\NP)\(S\NP))/NP ((S\NP)\(S\NP))/N ((S\NP)\(S\NP))/PP ((S\NP)\(S\NP))\NP "
    r"((S\NP)\(S\NP))/S[dcl] ((S\NP)\(S\NP))/(S[to]\NP) ((S\NP)\(S\NP))/(S[ng]\NP) ((S\NP)\(S\NP))/(S[pss]\NP) "
    r"((S\NP)\(S\NP))/(S[adj]\NP) ((S\NP)\(S\NP))/(S[b]\NP) ((S\NP)\(S\NP))/((S\NP)\(S\NP)) "
    r"((S\NP)\(S\NP))\((S\NP)\(S\NP)) (((S\NP)\(S\NP))/((S\NP)\(S\NP)))/NP (((S\NP)\(S\NP))\((S\NP)\(S\NP)))/NP "
    r"((S\NP)/(S\NP))/NP ((S\NP)/(S\NP))/((S\NP)/(S\NP)) S/S (S/S)/NP (S/S)/N (S/S)/PP (S/S)/S[dcl] (S/S)/(S[to]\NP) "
    r"(S/S)/(S[ng]\NP) (S/S)/(S[pss]\NP) (S/S)/(S[adj]\NP) (S/S)/(S/S) ((S/S)/NP)/NP (S/S)\NP ((S/S)/S[dcl])/NP S\S "
    r"(S\S)/NP (S\S)/S[dcl] ((S\S)\(S\S))/NP (N/N)/((S\NP)\(S\NP)) (S[adj]\NP)/(S[adj]\NP) (S[adj]\NP)\(S[adj]\NP)"
).split()
_REST = (
    r"S[adj]\NP (S[adj]\NP)/PP (S[adj]\NP)/NP (S[adj]\NP)/(S[to]\NP) (S[adj]\NP)/S[em] (S[adj]\NP)/S[dcl] "
    r"(S[adj]\NP)/S[qem] ((S[adj]\NP)/(S[to]\NP))/(S[adj]\NP) S[asup]\NP (S[to]\NP)/(S[b]\NP) S[to]\NP PP PP/NP "
    r"PP/PP PP/(S[ng]\NP) PP/(S[adj]\NP) PP/S[dcl] PR S[em]/S[dcl] S[em]/S[b] S[dcl]/S[dcl] S[dcl] S[b] S[intj] "
    r"S[frg] S[intj]/S[intj] S[qem]/S[dcl] S[qem]/(S[to]\NP) S[qem]/(S[dcl]\NP) S[qem]/(S[dcl]/NP) S[bem]/S[b] "
    r"(S[qem]/S[dcl])/(S[adj]\NP) S[for]/(S[to]\NP) (S[for]/(S[to]\NP))/NP S[wq]/S[q] S[wq]/(S[q]/NP) "
    r"S[wq]/(S[dcl]\NP) S[wq]/(S[q]/PP) (S[wq]/(S[q]/NP))/N (S[wq]/(S[dcl]\NP))/N (S[q]/(S[b]\NP))/NP "
    r"(S[q]/(S[ng]\NP))/NP (S[q]/(S[pt]\NP))/NP (S[q]/(S[pss]\NP))/NP (S[q]/(S[adj]\NP))/NP (S[q]/NP)/NP "
    r"(S[q]/PP)/NP S[inv]/NP (S[inv]/NP)/(S[adj]\NP) (S[dcl]\S[dcl])\NP (S[dcl]\S[dcl])/NP (S[dcl]/S[dcl])\NP "
    r"(S[dcl]/S[dcl])/NP ((S[dcl]\S[dcl])\NP)/NP ((S[dcl]\S[dcl])\NP)/PP ((S[dcl]\S[dcl])\NP)/(S[to]\NP) conj "
    r"conj/conj , . ; : LRB RRB LQU RQU"
).split()


def _categories() -> tuple[str, ...]:
    verbs = [frame.replace("{V}", rf"S[{form}]\NP") for form in _FORMS for frame in _FRAMES]
    expletive = [frame.replace("{f}", form) for form in ("dcl", "b", "ng", "pt") for frame in _EXPLETIVE]
    return tuple(dict.fromkeys((*_NOUNS, *_MODIFIERS, *_REST, *verbs, *expletive)))


CATEGORIES = _categories()
