"""Labels of a word that its lemma gives: the edit that leads there, and the ending that it has beside its stem."""

from __future__ import annotations

from difflib import SequenceMatcher

# What a label says where there is nothing: no lemma in the treebank, no ending on the word.
NOTHING = "_"


def lemma_script(form: str, lemma: str) -> str:
    """The shortest edit from a form to its lemma that keeps one run of letters, as a label without blanks.

    ``-2+`` before a bar is of the beginning, behind it of the end: letters taken off and what is put there. ``|-2+``
    makes kill of killed, ``|-3+y`` try of tries, ``|`` leaves a word as it is. The lemma is in small letters,
    behind ``^`` with a capital first, behind ``^^`` in capitals. Where nothing of the form is kept, or the lemma has
    other capitals, it stands whole behind ``*``. ``_`` where there is no lemma.
    """
    if lemma == NOTHING and form != NOTHING:
        return NOTHING
    small, goal = form.lower(), lemma.lower()
    case = _case(lemma)
    kept = SequenceMatcher(None, small, goal, autojunk=False).find_longest_match()
    if not kept.size or case is None:
        return f"*{lemma}".replace(" ", NOTHING)
    before = _edit(kept.a, goal[: kept.b])
    after = _edit(len(small) - kept.a - kept.size, goal[kept.b + kept.size :])
    return f"{case}{before}|{after}".replace(" ", NOTHING)


def ending(form: str, lemma: str) -> str:
    """What a form has behind the letters that it begins with as its lemma does, in small letters; ``_``: nothing.

    It parts a word in two where its lemma does so: kill-ed, house-s, tr-ies. No treebank says where morphemes end, so
    this stands for a segmentation, of endings only.
    """
    small, goal = form.lower(), lemma.lower()
    same = next((at for at, (a, b) in enumerate(zip(small, goal, strict=False)) if a != b), min(len(small), len(goal)))
    rest = small[same:]
    return rest.replace(" ", NOTHING) if rest and same and lemma != NOTHING else NOTHING


def _case(lemma: str) -> str | None:
    """The mark of a lemma's capitals; None where they are neither none, nor the first, nor all."""
    small = lemma.lower()
    if lemma == small:
        return ""
    if lemma == small[:1].upper() + small[1:]:
        return "^"
    return "^^" if lemma == lemma.upper() else None


def _edit(taken: int, put: str) -> str:
    return f"-{taken}+{put}" if taken or put else ""
