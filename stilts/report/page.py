"""The study's result as one HTML page that needs nothing else: to read on a laptop, to mail, to print."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.report import phrases
from stilts.report.drawing.scene import Scene
from stilts.report.drawing.svg import svg_element
from stilts.report.figures.picture import Picture
from stilts.report.markup import as_html
from stilts.report.sections.section import Section, wide
from stilts.report.style import SCRIPT, STYLE
from stilts.study.record import StudyRecord


def html_page(record: StudyRecord, sections: Sequence[Section]) -> str:
    """A whole HTML document of a study's sections: it loads nothing, and names are escaped.

    Its script sorts tables by the heading that is clicked, says where there is more beside what is seen, and unfolds
    for print what is folded. Pictures that do not fit a page are printed in bands.
    """
    links = " ".join(f'<a href="#{section.name}">{as_html(section.title)}</a>' for section in sections)
    body = [
        f"<h1>{as_html(phrases.question(record))}</h1>",
        f'<p class="toy">{as_html(phrases.TOY_WARNING)}</p>' if record.toy else "",
        f'<p class="setting">{as_html(phrases.subject(record))}</p>',
        f"<nav>{links}</nav>",
        *map(_section, sections),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{as_html(phrases.title(record))}</title><style>{STYLE}</style>"
    )
    main = "\n".join(filter(None, body))
    script = f"<script>{SCRIPT}</script>"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{main}\n{script}</body></html>\n'


def _section(section: Section) -> str:
    parts = [*section.body, *map(_figure, section.pictures), *section.after]
    body = "\n".join(filter(None, parts))
    return f'<section id="{section.name}"><h2>{as_html(section.title)}</h2>\n{body}\n</section>'


def _figure(picture: Picture) -> str:
    label = f"{picture.title}. {picture.caption}"
    kind = "across broad" if picture.is_wide else "broad" if picture.whole else ""
    caption = f"{picture.caption} Data: {picture.name}.csv."
    return f'<figure class="{kind}">{_drawn(picture, label)}<figcaption>{as_html(caption)}</figcaption></figure>'


def _drawn(picture: Picture, label: str) -> str:
    """The picture as it is on a wide screen, on a narrow one and on paper, where these differ."""
    if picture.panels:
        return f'<div class="panels">{_scenes(picture.panels, label)}</div>'
    narrow = f'<div class="narrow screen">{_scenes(picture.narrow, label)}</div>' if picture.narrow else ""
    kind = "has-narrow" if narrow else ""
    bands = _scenes(picture.bands, label)
    if not picture.whole:
        return f'{narrow}<div class="{kind}">{wide(bands)}</div>'
    whole = svg_element(picture.whole, label=label)
    screen = f'<div class="drawn" style="width:{picture.whole[0].width:g}pt">{whole}</div>'
    return f'{narrow}<div class="{kind} screen">{wide(screen)}</div><div class="paper">{bands}</div>'


def _scenes(scenes: Sequence[Scene], label: str) -> str:
    """Each scene as a drawing of its own, as wide as it was drawn and then zoomed; the first carries the label."""
    return "".join(
        f'<div class="drawn" style="width:calc({scene.width:g}pt*var(--zoom))">'
        f"{svg_element([scene], label=label if at == 0 else '')}</div>"
        for at, scene in enumerate(scenes)
    )
