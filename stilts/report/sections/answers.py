"""The answers in words, first of all."""

from __future__ import annotations

from stilts.analysis.best import Answer, answers_of
from stilts.report import phrases
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section


def answers_section(material: Material) -> Section | None:
    """What to train on first, per target, with its doubt; None without targets."""
    answers = answers_of(material.results)
    if not answers:
        return None
    return Section(name="answers", title="Answers", body=tuple(map(_answer, answers)))


def _answer(answer: Answer) -> str:
    told = "".join(
        f"<strong>{as_html(text)}</strong>" if strong else as_html(text) for text, strong in phrases.headline(answer)
    )
    facts = phrases.facts(answer)
    lines = "".join(f"<li><b>{as_html(label)}</b>: {as_html(text)}</li>" for label, text in facts)
    return f'<div class="answer"><h3>{told}</h3>{f"<ul>{lines}</ul>" if lines else ""}</div>'
