"""UD supertags that occur ten times or more in the train file of UD English-EWT (commit 15d613d8447b), 608 of them.

Each is UPOS, FEATS, DEPREL and the side of the head, joined by ``/``; sorted. They cover 98.5 % of the words there. The
threshold of ten is the usual one for CCG's categories. ``morphology.py`` says how the inventory is used.
"""

from __future__ import annotations

SUPERTAGS: tuple[str, ...] = tuple(
    """
    ADJ/Degree=Cmp/amod/left ADJ/Degree=Cmp/amod/right ADJ/Degree=Cmp/conj/left ADJ/Degree=Cmp/obj/left
    ADJ/Degree=Cmp/parataxis/left ADJ/Degree=Cmp/root/root ADJ/Degree=Cmp/xcomp/left
    ADJ/Degree=Cmp|ExtPos=ADV/advmod/right ADJ/Degree=Pos/acl/left ADJ/Degree=Pos/acl:relcl/left
    ADJ/Degree=Pos/advcl/left ADJ/Degree=Pos/advcl/right ADJ/Degree=Pos/advcl:relcl/left ADJ/Degree=Pos/advmod/right
    ADJ/Degree=Pos/amod/left ADJ/Degree=Pos/amod/right ADJ/Degree=Pos/appos/left ADJ/Degree=Pos/ccomp/left
    ADJ/Degree=Pos/ccomp/right ADJ/Degree=Pos/compound/right ADJ/Degree=Pos/conj/left ADJ/Degree=Pos/fixed/left
    ADJ/Degree=Pos/list/left ADJ/Degree=Pos/nmod/left ADJ/Degree=Pos/nsubj/right ADJ/Degree=Pos/obj/left
    ADJ/Degree=Pos/obj/right ADJ/Degree=Pos/obl/left ADJ/Degree=Pos/obl/right ADJ/Degree=Pos/obl:unmarked/right
    ADJ/Degree=Pos/parataxis/left ADJ/Degree=Pos/root/root ADJ/Degree=Pos/xcomp/left
    ADJ/Degree=Pos|ExtPos=ADP/case/right ADJ/Degree=Pos|ExtPos=SCONJ/mark/right
    ADJ/Degree=Pos|NumForm=Combi|NumType=Ord/amod/right ADJ/Degree=Pos|NumForm=Word|NumType=Ord/amod/right
    ADJ/Degree=Pos|Typo=Yes/amod/right ADJ/Degree=Pos|Typo=Yes/root/root ADJ/Degree=Sup/amod/right
    ADJ/Degree=Sup/nmod/left ADJ/Degree=Sup/nmod/right ADJ/Degree=Sup/nsubj/right ADJ/Degree=Sup/obj/left
    ADJ/Degree=Sup/obl/left ADJ/Degree=Sup/obl/right ADJ/Degree=Sup/root/root ADP/Abbr=Yes/case/right
    ADP/ExtPos=ADP/case/right ADP/ExtPos=ADV/advmod/right ADP/ExtPos=ADV/case/right ADP/ExtPos=SCONJ/mark/right
    ADP/Typo=Yes/case/right ADP/_/acl:relcl/left ADP/_/case/left ADP/_/case/right ADP/_/compound/left
    ADP/_/compound:prt/left ADP/_/fixed/left ADP/_/mark/right ADP/_/nmod/left ADP/_/obl/left ADV/Abbr=Yes/advmod/left
    ADV/Degree=Cmp/advmod/left ADV/Degree=Cmp/advmod/right ADV/Degree=Pos/advmod/left ADV/Degree=Pos/advmod/right
    ADV/Degree=Pos/fixed/left ADV/Degree=Sup/advmod/right ADV/ExtPos=ADP/case/right ADV/ExtPos=ADV/advmod/left
    ADV/ExtPos=CCONJ/cc/right ADV/NumForm=Word|NumType=Mult/advmod/left ADV/NumForm=Word|NumType=Mult/advmod/right
    ADV/NumForm=Word|NumType=Ord/advmod/left ADV/NumForm=Word|NumType=Ord/advmod/right ADV/PronType=Dem/advmod/left
    ADV/PronType=Dem/advmod/right ADV/PronType=Dem/conj/left ADV/PronType=Dem/obl/left ADV/PronType=Dem/obl/right
    ADV/PronType=Dem/root/root ADV/PronType=Ind/advmod/left ADV/PronType=Ind/advmod/right
    ADV/PronType=Int/advmod/right ADV/PronType=Int/root/root ADV/PronType=Neg/advmod/right
    ADV/PronType=Rel/advmod/left ADV/PronType=Rel/advmod/right ADV/PronType=Rel/root/root ADV/PronType=Tot/advmod/left
    ADV/PronType=Tot/advmod/right ADV/Typo=Yes/advmod/left ADV/Typo=Yes/advmod/right ADV/_/advcl/left
    ADV/_/advcl/right ADV/_/advmod/left ADV/_/advmod/right ADV/_/ccomp/left ADV/_/conj/left ADV/_/root/root
    ADV/_/xcomp/left AUX/Mood=Imp|VerbForm=Fin/aux/right AUX/Mood=Imp|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/aux:pass/left
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/cop/left
    AUX/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Pres|Typo=Yes|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Pres|Typo=Yes|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/cop/left
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|Typo=Yes|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/advcl/left
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/aux/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/aux:pass/left
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/aux:pass/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/cop/left
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/cop/right
    AUX/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/root/root AUX/Tense=Past|VerbForm=Part/aux/right
    AUX/Tense=Past|VerbForm=Part/aux:pass/right AUX/Tense=Past|VerbForm=Part/cop/right
    AUX/Tense=Pres|VerbForm=Part/aux:pass/right AUX/Tense=Pres|VerbForm=Part/cop/right
    AUX/Typo=Yes|VerbForm=Fin/aux/right AUX/VerbForm=Fin/acl:relcl/left AUX/VerbForm=Fin/advcl/left
    AUX/VerbForm=Fin/aux/left AUX/VerbForm=Fin/aux/right AUX/VerbForm=Fin/conj/left AUX/VerbForm=Inf/aux/right
    AUX/VerbForm=Inf/aux:pass/right AUX/VerbForm=Inf/cop/left AUX/VerbForm=Inf/cop/right CCONJ/Polarity=Neg/cc/right
    CCONJ/_/cc/right CCONJ/_/cc:preconj/right CCONJ/_/conj/left DET/Definite=Def|PronType=Art/det/right
    DET/Definite=Ind|PronType=Art/det/right DET/Number=Plur|PronType=Dem/det/right
    DET/Number=Sing|PronType=Dem/det/right DET/PronType=Ind/conj/left DET/PronType=Ind/det/right
    DET/PronType=Ind/det:predet/right DET/PronType=Ind/nsubj/right DET/PronType=Ind/obj/left DET/PronType=Ind/obl/left
    DET/PronType=Int/det/right DET/PronType=Neg/det/right DET/PronType=Tot/advmod/right DET/PronType=Tot/conj/left
    DET/PronType=Tot/det/right DET/PronType=Tot/det:predet/right DET/PronType=Tot/nmod/left
    DET/PronType=Tot/nmod:unmarked/left DET/PronType=Tot/nsubj/right DET/PronType=Tot/nsubj:outer/right
    DET/PronType=Tot/obj/left DET/PronType=Tot/obl/left DET/PronType=Tot/root/root INTJ/Polarity=Neg/discourse/left
    INTJ/Polarity=Neg/discourse/right INTJ/Polarity=Pos/discourse/right INTJ/_/discourse/left INTJ/_/discourse/right
    INTJ/_/root/root NOUN/Abbr=Yes|Number=Plur/conj/left NOUN/ExtPos=ADV|Number=Sing/advmod/right
    NOUN/Number=Plur/acl:relcl/left NOUN/Number=Plur/advcl/left NOUN/Number=Plur/appos/left
    NOUN/Number=Plur/ccomp/left NOUN/Number=Plur/compound/right NOUN/Number=Plur/conj/left NOUN/Number=Plur/iobj/left
    NOUN/Number=Plur/list/left NOUN/Number=Plur/nmod/left NOUN/Number=Plur/nmod:poss/right
    NOUN/Number=Plur/nmod:unmarked/left NOUN/Number=Plur/nmod:unmarked/right NOUN/Number=Plur/nsubj/left
    NOUN/Number=Plur/nsubj/right NOUN/Number=Plur/nsubj:pass/right NOUN/Number=Plur/obj/left
    NOUN/Number=Plur/obj/right NOUN/Number=Plur/obl/left NOUN/Number=Plur/obl/right NOUN/Number=Plur/obl:agent/left
    NOUN/Number=Plur/obl:unmarked/left NOUN/Number=Plur/obl:unmarked/right NOUN/Number=Plur/parataxis/left
    NOUN/Number=Plur/root/root NOUN/Number=Plur/vocative/left NOUN/Number=Plur/xcomp/left
    NOUN/Number=Plur|Typo=Yes/obj/left NOUN/Number=Ptan/conj/left NOUN/Number=Ptan/nmod/left NOUN/Number=Ptan/obj/left
    NOUN/Number=Ptan/obl/left NOUN/Number=Ptan/root/root NOUN/Number=Ptan|NumForm=Combi|NumType=Card/obl/left
    NOUN/Number=Sing/acl/left NOUN/Number=Sing/acl:relcl/left NOUN/Number=Sing/advcl/left NOUN/Number=Sing/advcl/right
    NOUN/Number=Sing/appos/left NOUN/Number=Sing/ccomp/left NOUN/Number=Sing/ccomp/right
    NOUN/Number=Sing/compound/right NOUN/Number=Sing/conj/left NOUN/Number=Sing/fixed/left NOUN/Number=Sing/flat/left
    NOUN/Number=Sing/iobj/left NOUN/Number=Sing/list/left NOUN/Number=Sing/nmod/left NOUN/Number=Sing/nmod/right
    NOUN/Number=Sing/nmod:desc/right NOUN/Number=Sing/nmod:poss/right NOUN/Number=Sing/nmod:unmarked/left
    NOUN/Number=Sing/nmod:unmarked/right NOUN/Number=Sing/nsubj/left NOUN/Number=Sing/nsubj/right
    NOUN/Number=Sing/nsubj:outer/right NOUN/Number=Sing/nsubj:pass/left NOUN/Number=Sing/nsubj:pass/right
    NOUN/Number=Sing/obj/left NOUN/Number=Sing/obj/right NOUN/Number=Sing/obl/left NOUN/Number=Sing/obl/right
    NOUN/Number=Sing/obl:agent/left NOUN/Number=Sing/obl:unmarked/left NOUN/Number=Sing/obl:unmarked/right
    NOUN/Number=Sing/parataxis/left NOUN/Number=Sing/root/root NOUN/Number=Sing/vocative/left
    NOUN/Number=Sing/xcomp/left NOUN/Number=Sing|NumForm=Combi|NumType=Ord/appos/left
    NOUN/Number=Sing|NumForm=Combi|NumType=Ord/obl/left NOUN/Number=Sing|Typo=Yes/nsubj/right
    NOUN/Number=Sing|Typo=Yes/obj/left NOUN/Number=Sing|Typo=Yes/obl/left
    NUM/Abbr=Yes|NumForm=Word|NumType=Card/nummod/left NUM/Abbr=Yes|NumForm=Word|NumType=Card/root/root
    NUM/ExtPos=PROPN|NumForm=Digit|NumType=Card/appos/left NUM/ExtPos=PROPN|NumForm=Digit|NumType=Card/list/left
    NUM/NumForm=Digit|NumType=Card/appos/left NUM/NumForm=Digit|NumType=Card/compound/right
    NUM/NumForm=Digit|NumType=Card/conj/left NUM/NumForm=Digit|NumType=Card/discourse/right
    NUM/NumForm=Digit|NumType=Card/flat/left NUM/NumForm=Digit|NumType=Card/list/left
    NUM/NumForm=Digit|NumType=Card/nmod/left NUM/NumForm=Digit|NumType=Card/nmod:unmarked/left
    NUM/NumForm=Digit|NumType=Card/nsubj/right NUM/NumForm=Digit|NumType=Card/nummod/left
    NUM/NumForm=Digit|NumType=Card/nummod/right NUM/NumForm=Digit|NumType=Card/obj/left
    NUM/NumForm=Digit|NumType=Card/obl/left NUM/NumForm=Digit|NumType=Card/obl/right
    NUM/NumForm=Digit|NumType=Card/obl:unmarked/left NUM/NumForm=Digit|NumType=Card/parataxis/left
    NUM/NumForm=Digit|NumType=Card/root/root NUM/NumForm=Digit|NumType=Frac/compound/right
    NUM/NumForm=Digit|NumType=Frac/nummod/left NUM/NumForm=Digit|NumType=Frac/nummod/right
    NUM/NumForm=Roman|NumType=Card/flat/left NUM/NumForm=Word|NumType=Card/compound/right
    NUM/NumForm=Word|NumType=Card/conj/left NUM/NumForm=Word|NumType=Card/flat/left
    NUM/NumForm=Word|NumType=Card/nmod/left NUM/NumForm=Word|NumType=Card/nsubj/right
    NUM/NumForm=Word|NumType=Card/nummod/left NUM/NumForm=Word|NumType=Card/nummod/right
    NUM/NumForm=Word|NumType=Card/obj/left NUM/NumForm=Word|NumType=Card/obl/left
    NUM/NumForm=Word|NumType=Card/root/root NUM/_/discourse/right PART/Abbr=Yes/mark/right
    PART/Polarity=Neg/advmod/left PART/Polarity=Neg/advmod/right PART/Polarity=Neg/conj/left
    PART/Polarity=Neg|Typo=Yes/advmod/right PART/Typo=Yes/case/left PART/_/case/left PART/_/mark/right
    PRON/Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Prs/iobj/left
    PRON/Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Prs/obj/left
    PRON/Case=Acc|Gender=Fem|Number=Sing|Person=3|PronType=Prs/obl/left
    PRON/Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs/iobj/left
    PRON/Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs/nmod/left
    PRON/Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs/obj/left
    PRON/Case=Acc|Gender=Masc|Number=Sing|Person=3|PronType=Prs/obl/left
    PRON/Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Emp|Reflex=Yes/nmod:unmarked/left
    PRON/Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs/iobj/left
    PRON/Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs/nmod/left
    PRON/Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs/obj/left
    PRON/Case=Acc|Gender=Neut|Number=Sing|Person=3|PronType=Prs/obl/left
    PRON/Case=Acc|Number=Plur|Person=1|PronType=Prs/iobj/left
    PRON/Case=Acc|Number=Plur|Person=1|PronType=Prs/nmod/left PRON/Case=Acc|Number=Plur|Person=1|PronType=Prs/obj/left
    PRON/Case=Acc|Number=Plur|Person=1|PronType=Prs/obl/left PRON/Case=Acc|Number=Plur|Person=3|PronType=Prs/iobj/left
    PRON/Case=Acc|Number=Plur|Person=3|PronType=Prs/nmod/left PRON/Case=Acc|Number=Plur|Person=3|PronType=Prs/obj/left
    PRON/Case=Acc|Number=Plur|Person=3|PronType=Prs/obl/left
    PRON/Case=Acc|Number=Plur|Person=3|PronType=Prs|Reflex=Yes/obj/left
    PRON/Case=Acc|Number=Sing|Person=1|PronType=Prs/conj/left
    PRON/Case=Acc|Number=Sing|Person=1|PronType=Prs/iobj/left
    PRON/Case=Acc|Number=Sing|Person=1|PronType=Prs/nmod/left PRON/Case=Acc|Number=Sing|Person=1|PronType=Prs/obj/left
    PRON/Case=Acc|Number=Sing|Person=1|PronType=Prs/obl/left
    PRON/Case=Acc|Number=Sing|Person=2|PronType=Prs|Reflex=Yes/obj/left PRON/Case=Acc|Person=2|PronType=Prs/iobj/left
    PRON/Case=Acc|Person=2|PronType=Prs/nmod/left PRON/Case=Acc|Person=2|PronType=Prs/obj/left
    PRON/Case=Acc|Person=2|PronType=Prs/obl/left
    PRON/Case=Gen|Gender=Fem|Number=Sing|Person=3|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Gender=Masc|Number=Sing|Person=3|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Gender=Neut|Number=Sing|Person=3|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Gender=Neut|Number=Sing|Person=3|Poss=Yes|PronType=Prs|Typo=Yes/nmod:poss/right
    PRON/Case=Gen|Number=Plur|Person=1|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Number=Plur|Person=3|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Number=Plur|Person=3|Poss=Yes|PronType=Prs|Typo=Yes/nmod:poss/right
    PRON/Case=Gen|Number=Sing|Person=1|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Person=2|Poss=Yes|PronType=Prs/nmod:poss/right
    PRON/Case=Gen|Person=2|Poss=Yes|PronType=Prs|Typo=Yes/nmod:poss/right
    PRON/Case=Nom|Gender=Fem|Number=Sing|Person=3|PronType=Prs/nsubj/right
    PRON/Case=Nom|Gender=Fem|Number=Sing|Person=3|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Gender=Masc|Number=Sing|Person=3|PronType=Prs/nsubj/right
    PRON/Case=Nom|Gender=Masc|Number=Sing|Person=3|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/expl/left
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/expl/right
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/nsubj/left
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/nsubj/right
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/nsubj:outer/right
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Gender=Neut|Number=Sing|Person=3|PronType=Prs/obj/left
    PRON/Case=Nom|Number=Plur|Person=1|PronType=Prs/nsubj/right
    PRON/Case=Nom|Number=Plur|Person=1|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Number=Plur|Person=3|PronType=Prs/nsubj/left
    PRON/Case=Nom|Number=Plur|Person=3|PronType=Prs/nsubj/right
    PRON/Case=Nom|Number=Plur|Person=3|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Number=Sing|Person=1|PronType=Prs/conj/left
    PRON/Case=Nom|Number=Sing|Person=1|PronType=Prs/nsubj/right
    PRON/Case=Nom|Number=Sing|Person=1|PronType=Prs/nsubj:pass/right PRON/Case=Nom|Person=2|PronType=Prs/iobj/left
    PRON/Case=Nom|Person=2|PronType=Prs/nsubj/right PRON/Case=Nom|Person=2|PronType=Prs/nsubj:pass/right
    PRON/Case=Nom|Person=2|PronType=Prs/obj/left PRON/Number=Plur|PronType=Dem/nmod/left
    PRON/Number=Plur|PronType=Dem/nsubj/right PRON/Number=Plur|PronType=Dem/obl/left
    PRON/Number=Sing|Person=3|PronType=Prs/nsubj/right PRON/Number=Sing|PronType=Dem/nmod/left
    PRON/Number=Sing|PronType=Dem/nsubj/right PRON/Number=Sing|PronType=Dem/nsubj:outer/right
    PRON/Number=Sing|PronType=Dem/nsubj:pass/right PRON/Number=Sing|PronType=Dem/obj/left
    PRON/Number=Sing|PronType=Dem/obl/left PRON/Number=Sing|PronType=Ind/conj/left
    PRON/Number=Sing|PronType=Ind/nmod/left PRON/Number=Sing|PronType=Ind/nsubj/right
    PRON/Number=Sing|PronType=Ind/obj/left PRON/Number=Sing|PronType=Ind/obl/left
    PRON/Number=Sing|PronType=Ind/root/root PRON/Number=Sing|PronType=Neg/nsubj/right
    PRON/Number=Sing|PronType=Neg/obj/left PRON/Number=Sing|PronType=Tot/nsubj/right
    PRON/Number=Sing|PronType=Tot/obj/left PRON/Number=Sing|PronType=Tot/obl/left
    PRON/Poss=Yes|PronType=Rel/nmod:poss/right PRON/PronType=Int/ccomp/left PRON/PronType=Int/nsubj/right
    PRON/PronType=Int/obj/right PRON/PronType=Int/obl/right PRON/PronType=Int/root/root PRON/PronType=Rel/conj/left
    PRON/PronType=Rel/nmod/left PRON/PronType=Rel/nsubj/right PRON/PronType=Rel/nsubj:outer/right
    PRON/PronType=Rel/nsubj:pass/right PRON/PronType=Rel/obj/left PRON/PronType=Rel/obj/right
    PRON/PronType=Rel/obl/left PRON/PronType=Rel/obl/right PRON/PronType=Rel/obl:unmarked/right
    PRON/PronType=Rel/root/root PRON/_/expl/left PRON/_/expl/right PROPN/Abbr=Yes|Number=Sing/nmod:unmarked/left
    PROPN/Abbr=Yes|Number=Sing/nmod:unmarked/right PROPN/Abbr=Yes|Number=Sing/root/root PROPN/Number=Plur/appos/left
    PROPN/Number=Plur/compound/right PROPN/Number=Plur/conj/left PROPN/Number=Plur/nmod/left
    PROPN/Number=Plur/nsubj/right PROPN/Number=Plur/obj/left PROPN/Number=Plur/obl/left
    PROPN/Number=Plur/obl:agent/left PROPN/Number=Plur/root/root PROPN/Number=Sing/advcl/right
    PROPN/Number=Sing/appos/left PROPN/Number=Sing/ccomp/left PROPN/Number=Sing/compound/right
    PROPN/Number=Sing/conj/left PROPN/Number=Sing/flat/left PROPN/Number=Sing/iobj/left PROPN/Number=Sing/list/left
    PROPN/Number=Sing/nmod/left PROPN/Number=Sing/nmod:desc/right PROPN/Number=Sing/nmod:poss/right
    PROPN/Number=Sing/nmod:unmarked/left PROPN/Number=Sing/nmod:unmarked/right PROPN/Number=Sing/nsubj/left
    PROPN/Number=Sing/nsubj/right PROPN/Number=Sing/nsubj:pass/right PROPN/Number=Sing/obj/left
    PROPN/Number=Sing/obl/left PROPN/Number=Sing/obl/right PROPN/Number=Sing/obl:agent/left
    PROPN/Number=Sing/obl:unmarked/left PROPN/Number=Sing/obl:unmarked/right PROPN/Number=Sing/parataxis/left
    PROPN/Number=Sing/root/root PROPN/Number=Sing/vocative/left PROPN/Number=Sing/vocative/right
    PROPN/Number=Sing/xcomp/left PROPN/Number=Sing|Typo=Yes/compound/right PROPN/Typo=Yes/root/root PROPN/_/appos/left
    PROPN/_/list/left PROPN/_/obl/left PROPN/_/root/root PUNCT/_/punct/left PUNCT/_/punct/right PUNCT/_/root/root
    SCONJ/ExtPos=SCONJ/mark/right SCONJ/Typo=Yes/mark/right SCONJ/_/fixed/left SCONJ/_/mark/right
    SYM/Number=Sing/compound/right SYM/Number=Sing/obl:unmarked/right SYM/_/appos/left SYM/_/case/right SYM/_/cc/right
    SYM/_/compound/right SYM/_/conj/left SYM/_/discourse/left SYM/_/nmod/left SYM/_/obj/left SYM/_/obl/left
    SYM/_/root/root VERB/ExtPos=ADP|Tense=Pres|VerbForm=Part/case/right VERB/Mood=Imp|VerbForm=Fin/ccomp/left
    VERB/Mood=Imp|VerbForm=Fin/conj/left VERB/Mood=Imp|VerbForm=Fin/parataxis/left
    VERB/Mood=Imp|VerbForm=Fin/root/root VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Past|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Plur|Person=1|Tense=Pres|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Past|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/acl/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/ccomp/right
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Past|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Sing|Person=1|Tense=Pres|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Past|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/acl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/advcl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/root/root
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/acl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/acl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/advcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/advcl/right
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/advcl:relcl/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/ccomp/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/conj/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/parataxis/left
    VERB/Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/root/root
    VERB/Mood=Sub|Number=Sing|Person=2|Tense=Pres|VerbForm=Fin/ccomp/left VERB/Tense=Past|VerbForm=Part/acl:relcl/left
    VERB/Tense=Past|VerbForm=Part/advcl/left VERB/Tense=Past|VerbForm=Part/advcl/right
    VERB/Tense=Past|VerbForm=Part/ccomp/left VERB/Tense=Past|VerbForm=Part/conj/left
    VERB/Tense=Past|VerbForm=Part/parataxis/left VERB/Tense=Past|VerbForm=Part/root/root
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/acl/left VERB/Tense=Past|VerbForm=Part|Voice=Pass/acl:relcl/left
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/advcl/left VERB/Tense=Past|VerbForm=Part|Voice=Pass/advcl/right
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/amod/right VERB/Tense=Past|VerbForm=Part|Voice=Pass/case/right
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/ccomp/left VERB/Tense=Past|VerbForm=Part|Voice=Pass/conj/left
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/parataxis/left VERB/Tense=Past|VerbForm=Part|Voice=Pass/root/root
    VERB/Tense=Past|VerbForm=Part|Voice=Pass/xcomp/left VERB/Tense=Pres|VerbForm=Part/acl/left
    VERB/Tense=Pres|VerbForm=Part/acl:relcl/left VERB/Tense=Pres|VerbForm=Part/advcl/left
    VERB/Tense=Pres|VerbForm=Part/advcl/right VERB/Tense=Pres|VerbForm=Part/case/right
    VERB/Tense=Pres|VerbForm=Part/ccomp/left VERB/Tense=Pres|VerbForm=Part/conj/left
    VERB/Tense=Pres|VerbForm=Part/parataxis/left VERB/Tense=Pres|VerbForm=Part/root/root
    VERB/Tense=Pres|VerbForm=Part/xcomp/left VERB/Typo=Yes|VerbForm=Inf/root/root VERB/VerbForm=Ger/acl/left
    VERB/VerbForm=Ger/amod/right VERB/VerbForm=Ger/ccomp/left VERB/VerbForm=Ger/conj/left
    VERB/VerbForm=Ger/csubj/right VERB/VerbForm=Ger/xcomp/left VERB/VerbForm=Inf/acl/left
    VERB/VerbForm=Inf/acl:relcl/left VERB/VerbForm=Inf/advcl/left VERB/VerbForm=Inf/advcl/right
    VERB/VerbForm=Inf/advcl:relcl/left VERB/VerbForm=Inf/appos/left VERB/VerbForm=Inf/ccomp/left
    VERB/VerbForm=Inf/ccomp/right VERB/VerbForm=Inf/compound/right VERB/VerbForm=Inf/conj/left
    VERB/VerbForm=Inf/csubj/left VERB/VerbForm=Inf/parataxis/left VERB/VerbForm=Inf/root/root
    VERB/VerbForm=Inf/xcomp/left X/ExtPos=PROPN/root/root X/Foreign=Yes/flat/left X/_/compound/right X/_/flat/left
    X/_/goeswith/left
    """.split()
)
