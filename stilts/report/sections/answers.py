"""The answers, first of all: a table of one line per target, how to read it, and all the rest folded below."""

from __future__ import annotations

from stilts.analysis.best import Answer, answers_of
from stilts.analysis.wording import unscored_notes
from stilts.report import phrases
from stilts.report.markup import as_html
from stilts.report.sections.first_table import first_table, how_to_read
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section
from stilts.report.sections.words import words


def answers_section(material: Material) -> Section | None:
    """What to train on first, per target, with its doubt, or why no target has a score; None without targets."""
    answers = answers_of(material.results)
    if not answers:
        notes = "".join(f"<p>{as_html(note)}</p>" for note in unscored_notes(material.results.unscored))
        return Section(name="answers", title="Answers", body=(notes,)) if notes else None
    details = '<h3 class="how">Details</h3>' + "".join(map(_answer, answers))
    body = (first_table(answers), how_to_read(answers, material.record), details, words())
    return Section(name="answers", title="Answers", body=body)


def _answer(answer: Answer) -> str:
    told = "".join(
        f"<strong>{as_html(text)}</strong>" if strong else as_html(text) for text, strong in phrases.headline(answer)
    )
    facts = phrases.facts(answer)
    lines = "".join(f"<li><b>{as_html(label)}</b>: {as_html(text)}</li>" for label, text in facts)
    below = f"<ul>{lines}</ul>" if lines else ""
    summary = f"<summary><b>{as_html(answer.target)}</b>: why, what else could be best, what to beware of</summary>"
    return f'<details class="answer">{summary}<p>{told}</p>{below}</details>'
