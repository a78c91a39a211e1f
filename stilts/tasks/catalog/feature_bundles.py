"""The bundles of morphological features that the train file of UD English-EWT holds (commit 15d613d8447b), 230 of them.

An inventory, not text: FEATS as written, sorted. ``morphology.py`` says how it is used.
"""

from __future__ import annotations

BUNDLES: tuple[str, ...] = tuple(
    """
    Abbr=Yes Abbr=Yes|Case=Gen|Person=2|Poss=Yes|PronType=Prs Abbr=Yes|Case=Nom|Person=2|PronType=Prs
    Abbr=Yes|Degree=Pos Abbr=Yes|Mood=Imp|VerbForm=Fin Abbr=Yes|Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin
    Abbr=Yes|Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin
    Abbr=Yes|Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin Abbr=Yes|NumForm=Word|NumType=Card
    Abbr=Yes|Number=Plur Abbr=Yes|Number=Plur|Typo=Yes Abbr=Yes|Number=Ptan Abbr=Yes|Number=Sing
    Abbr=Yes|Number=Sing|PronType=Dem Abbr=Yes|Number=Sing|PronType=Ind Abbr=Yes|Polarity=Neg Abbr=Yes|PronType=Int
    Abbr=Yes|Style=Slng Abbr=Yes|Style=Vrnc Abbr=Yes|Tense=Past|VerbForm=Part
    Abbr=Yes|Tense=Past|VerbForm=Part|Voice=Pass Abbr=Yes|Tense=Pres|VerbForm=Part Abbr=Yes|Typo=Yes
    Abbr=Yes|VerbForm=Fin Abbr=Yes|VerbForm=Ger Abbr=Yes|VerbForm=Inf
    Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Emp|Reflex=Yes
    Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Prs
    Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Prs|Reflex=Yes
    Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Emp|Reflex=Yes
    Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs
    Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs|Reflex=Yes
    Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Emp|Reflex=Yes
    Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs
    Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs|Reflex=Yes
    Case=Acc|Number=Plur|Person=1|PronType=Emp|Reflex=Yes Case=Acc|Number=Plur|Person=1|PronType=Prs
    Case=Acc|Number=Plur|Person=1|PronType=Prs|Reflex=Yes Case=Acc|Number=Plur|Person=1|PronType=Prs|Typo=Yes
    Case=Acc|Number=Plur|Person=2|PronType=Prs|Reflex=Yes
    Case=Acc|Number=Plur|Person=2|PronType=Prs|Style=Vrnc|Typo=Yes
    Case=Acc|Number=Plur|Person=3|PronType=Emp|Reflex=Yes Case=Acc|Number=Plur|Person=3|PronType=Prs
    Case=Acc|Number=Plur|Person=3|PronType=Prs|Reflex=Yes Case=Acc|Number=Plur|Person=3|PronType=Prs|Style=Coll
    Case=Acc|Number=Plur|Person=3|PronType=Prs|Style=Coll|Typo=Yes Case=Acc|Number=Plur|Person=3|PronType=Prs|Typo=Yes
    Case=Acc|Number=Sing|Person=1|PronType=Emp|Reflex=Yes
    Case=Acc|Number=Sing|Person=1|PronType=Emp|Reflex=Yes|Typo=Yes Case=Acc|Number=Sing|Person=1|PronType=Prs
    Case=Acc|Number=Sing|Person=1|PronType=Prs|Reflex=Yes
    Case=Acc|Number=Sing|Person=1|PronType=Prs|Reflex=Yes|Typo=Yes
    Case=Acc|Number=Sing|Person=2|PronType=Emp|Reflex=Yes Case=Acc|Number=Sing|Person=2|PronType=Prs|Reflex=Yes
    Case=Acc|Number=Sing|Person=2|PronType=Prs|Reflex=Yes|Typo=Yes Case=Acc|Person=2|PronType=Prs
    Case=Acc|Person=2|PronType=Prs|Style=Coll Case=Gen|Gender=Fem|Number=Sing|Person=3|Poss=Yes|PronType=Prs
    Case=Gen|Gender=Masc|Number=Sing|Person=3|Poss=Yes|PronType=Prs
    Case=Gen|Gender=Neut|Number=Sing|Person=3|Poss=Yes|PronType=Prs
    Case=Gen|Gender=Neut|Number=Sing|Person=3|Poss=Yes|PronType=Prs|Typo=Yes
    Case=Gen|Number=Plur|Person=1|Poss=Yes|PronType=Prs Case=Gen|Number=Plur|Person=1|Poss=Yes|PronType=Prs|Typo=Yes
    Case=Gen|Number=Plur|Person=3|Poss=Yes|PronType=Prs Case=Gen|Number=Plur|Person=3|Poss=Yes|PronType=Prs|Typo=Yes
    Case=Gen|Number=Sing|Person=1|Poss=Yes|PronType=Prs Case=Gen|Number=Sing|Person=2|Poss=Yes|PronType=Prs|Style=Arch
    Case=Gen|Person=2|Poss=Yes|PronType=Prs Case=Gen|Person=2|Poss=Yes|PronType=Prs|Style=Slng
    Case=Gen|Person=2|Poss=Yes|PronType=Prs|Typo=Yes Case=Nom|Gender=Fem|Number=Sing|Person=3|PronType=Prs
    Case=Nom|Gender=Masc|Number=Sing|Person=3|PronType=Prs Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs
    Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs|Typo=Yes Case=Nom|Number=Plur|Person=1|PronType=Prs
    Case=Nom|Number=Plur|Person=2|PronType=Prs|Style=Arch Case=Nom|Number=Plur|Person=3|PronType=Prs
    Case=Nom|Number=Plur|Person=3|PronType=Prs|Typo=Yes Case=Nom|Number=Sing|Person=1|PronType=Prs
    Case=Nom|Number=Sing|Person=1|PronType=Prs|Typo=Yes Case=Nom|Number=Sing|Person=2|PronType=Prs|Style=Arch
    Case=Nom|Person=2|PronType=Prs Case=Nom|Person=2|PronType=Prs|Typo=Yes Definite=Def|PronType=Art
    Definite=Def|PronType=Art|Typo=Yes Definite=Ind|PronType=Art Definite=Ind|PronType=Art|Typo=Yes Degree=Cmp
    Degree=Cmp|ExtPos=ADV Degree=Cmp|Typo=Yes Degree=Pos Degree=Pos|ExtPos=ADP Degree=Pos|ExtPos=ADP|Typo=Yes
    Degree=Pos|ExtPos=SCONJ Degree=Pos|NumForm=Combi|NumType=Ord Degree=Pos|NumForm=Word|NumType=Frac
    Degree=Pos|NumForm=Word|NumType=Ord Degree=Pos|Style=Expr Degree=Pos|Typo=Yes Degree=Sup ExtPos=ADP
    ExtPos=ADP|Tense=Pres|VerbForm=Part ExtPos=ADP|Typo=Yes ExtPos=ADV ExtPos=ADV|Number=Sing
    ExtPos=ADV|Number=Sing|PronType=Dem ExtPos=ADV|PronType=Tot ExtPos=ADV|Typo=Yes ExtPos=CCONJ
    ExtPos=CCONJ|Polarity=Neg ExtPos=CCONJ|VerbForm=Inf ExtPos=PRON|PronType=Rcp ExtPos=PROPN
    ExtPos=PROPN|NumForm=Digit|NumType=Card ExtPos=PROPN|Number=Sing ExtPos=PROPN|VerbForm=Ger ExtPos=SCONJ
    Foreign=Yes Gender=Fem|Number=Sing|Person=3|Poss=Yes|PronType=Prs
    Gender=Masc|Number=Sing|Person=3|Poss=Yes|PronType=Prs Mood=Imp|Style=Vrnc|VerbForm=Fin
    Mood=Imp|Typo=Yes|VerbForm=Fin Mood=Imp|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=1|Tense=Past|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=3|Tense=Past|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=3|Tense=Pres|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=1|Style=Vrnc|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=1|Tense=Past|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=1|Tense=Pres|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=2|Style=Arch|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=2|Tense=Past|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=2|Tense=Pres|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=3|Style=Vrnc|Tense=Pres|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=3|Tense=Past|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=3|Tense=Pres|Typo=Yes|VerbForm=Fin
    Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin Mood=Sub|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin
    Mood=Sub|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin Mood=Sub|Number=Sing|Person=1|Tense=Past|VerbForm=Fin
    Mood=Sub|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin Mood=Sub|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin
    Mood=Sub|Number=Sing|Person=3|Tense=Past|VerbForm=Fin Mood=Sub|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin
    NumForm=Digit|NumType=Card NumForm=Digit|NumType=Frac NumForm=Roman|NumType=Card NumForm=Word|NumType=Card
    NumForm=Word|NumType=Card|Typo=Yes NumForm=Word|NumType=Frac NumForm=Word|NumType=Frac|PronType=Ind
    NumForm=Word|NumType=Mult NumForm=Word|NumType=Ord Number=Plur Number=Plur|NumForm=Digit|NumType=Card
    Number=Plur|NumForm=Word|NumType=Frac Number=Plur|Person=1|Poss=Yes|PronType=Prs
    Number=Plur|Person=3|Poss=Yes|PronType=Prs Number=Plur|PronType=Dem Number=Plur|Style=Expr Number=Plur|Typo=Yes
    Number=Ptan Number=Ptan|NumForm=Combi|NumType=Card Number=Ptan|NumForm=Word|NumType=Card Number=Sing
    Number=Sing|NumForm=Combi|NumType=Ord Number=Sing|NumForm=Word|NumType=Frac Number=Sing|NumForm=Word|NumType=Ord
    Number=Sing|Person=1|Poss=Yes|PronType=Prs Number=Sing|Person=1|Poss=Yes|PronType=Prs|Typo=Yes
    Number=Sing|Person=3|PronType=Prs Number=Sing|PronType=Dem Number=Sing|PronType=Dem|Typo=Yes
    Number=Sing|PronType=Ind Number=Sing|PronType=Ind|Typo=Yes Number=Sing|PronType=Neg
    Number=Sing|PronType=Neg|Typo=Yes Number=Sing|PronType=Tot Number=Sing|PronType=Tot|Typo=Yes
    Number=Sing|Style=Expr Number=Sing|Style=Vrnc Number=Sing|Typo=Yes Person=2|Poss=Yes|PronType=Prs Polarity=Neg
    Polarity=Neg|Typo=Yes Polarity=Pos Polarity=Pos|Typo=Yes Poss=Yes|PronType=Rel Poss=Yes|PronType=Rel|Typo=Yes
    PronType=Dem PronType=Dem|Typo=Yes PronType=Ind PronType=Ind|Typo=Yes PronType=Int PronType=Int|Style=Expr
    PronType=Int|Typo=Yes PronType=Neg PronType=Neg|Style=Expr PronType=Neg|Typo=Yes PronType=Rel
    PronType=Rel|Typo=Yes PronType=Tot Style=Arch|VerbForm=Fin Style=Expr
    Style=Expr|Tense=Past|VerbForm=Part|Voice=Pass Style=Vrnc|Tense=Pres|Typo=Yes|VerbForm=Part
    Style=Vrnc|Tense=Pres|VerbForm=Part Style=Vrnc|VerbForm=Inf Tense=Past|Typo=Yes|VerbForm=Part
    Tense=Past|Typo=Yes|VerbForm=Part|Voice=Pass Tense=Past|VerbForm=Part Tense=Past|VerbForm=Part|Voice=Pass
    Tense=Pres|Typo=Yes|VerbForm=Part Tense=Pres|VerbForm=Part Typo=Yes Typo=Yes|VerbForm=Fin Typo=Yes|VerbForm=Ger
    Typo=Yes|VerbForm=Inf VerbForm=Fin VerbForm=Ger VerbForm=Inf _
    """.split()
)
