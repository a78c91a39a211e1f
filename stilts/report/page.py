"""The study's result as one HTML page that needs nothing else: to read on a laptop, to mail, to print."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.report import phrases
from stilts.report.drawing.svg import svg_element
from stilts.report.figures.picture import Picture
from stilts.report.markup import as_html
from stilts.report.sections.section import Section
from stilts.study.record import StudyRecord

_STYLE = """
:root{color-scheme:light}
body{font:15px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:75em;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;margin:2em 0 .5em}h3{font-size:1em;font-weight:400;margin:1em 0 .2em}
nav a{margin-right:1em}.toy{border:2px solid #8a4b00;padding:.3em .7em;display:inline-block;font-weight:600}
.wide{overflow-x:auto}figure{margin:0 0 1.5em}figure svg{display:block}
figcaption{color:#555;font-size:.9em;max-width:52em}
.paper{display:none}
@media screen and (min-width:64em){figure:not(.across) svg{zoom:1.25}}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9em}
caption{text-align:left;font-weight:600;padding:.4em 0}
th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child{text-align:left}thead th{border-bottom:2px solid #777;cursor:pointer}
th[aria-sort=ascending]:after{content:" \\25b2"}th[aria-sort=descending]:after{content:" \\25bc"}
.chosen{font-weight:700}.note{color:#555;font-size:.9em}ul{margin:.2em 0;padding-left:1.4em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em}dt{font-weight:600}dd{margin:0}
pre{background:#f6f6f6;padding:.8em;overflow-x:auto;font-size:.85em}
@page{size:A4;margin:12mm}@page across{size:A4 landscape;margin:12mm}
@media print{body{font-size:10pt;max-width:none;margin:0;padding:0}
body{print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.screen,.many,details{display:none}.paper{display:block}.across{page:across}
.answer,figure svg,tr{break-inside:avoid}h2,h3,caption{break-after:avoid}.wide{overflow:visible}
table{font-size:7.5pt}th,td{padding:.15em .4em;white-space:normal}
thead{display:table-header-group}pre{white-space:pre-wrap;overflow-wrap:anywhere}dl{grid-template-columns:9em 1fr}
dd,li,h1,p{overflow-wrap:anywhere}}
"""
# Sorts a table by the column whose heading is clicked: by its first number where it has one, else as text.
_SCRIPT = """
for(const head of document.querySelectorAll("thead th")){head.tabIndex=0;const sort=()=>{
const body=head.closest("table").tBodies[0],at=head.cellIndex,down=head.getAttribute("aria-sort")!="descending";
for(const other of head.parentNode.children)other.removeAttribute("aria-sort");
head.setAttribute("aria-sort",down?"descending":"ascending");
const value=row=>{const text=row.cells[at].textContent,number=parseFloat(text);return isNaN(number)?text:number};
const order=(a,b)=>typeof a==typeof b?(a<b?-1:a>b?1:0):typeof a=="number"?1:-1;
[...body.rows].sort((a,b)=>(down?-1:1)*order(value(a),value(b))).forEach(row=>body.append(row))};
head.onclick=sort;head.onkeydown=event=>{if(event.key=="Enter")sort()}}
"""


def html_page(record: StudyRecord, sections: Sequence[Section]) -> str:
    """A whole HTML document of a study's sections: it loads nothing, and names are escaped.

    Its script only sorts tables by the heading that is clicked. Pictures that do not fit a page are printed in bands.
    """
    links = "".join(f'<a href="#{section.name}">{as_html(section.title)}</a>' for section in sections)
    body = [
        f"<h1>{as_html(phrases.question(record))}</h1>",
        f'<p class="toy">{as_html(phrases.TOY_WARNING)}</p>' if record.toy else "",
        f"<p>{as_html(phrases.title(record))}</p>",
        f"<nav>{links}</nav>",
        *map(_section, sections),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{as_html(phrases.title(record))}</title><style>{_STYLE}</style>"
    )
    main = "\n".join(filter(None, body))
    script = f"<script>{_SCRIPT}</script>"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{main}\n{script}</body></html>\n'


def _section(section: Section) -> str:
    parts = [*section.body, *map(_figure, section.pictures), *section.after]
    body = "\n".join(filter(None, parts))
    return f'<section id="{section.name}"><h2>{as_html(section.title)}</h2>\n{body}\n</section>'


def _figure(picture: Picture) -> str:
    label = f"{picture.title}. {picture.caption}"
    bands = "".join(svg_element([band], label=label if at == 0 else "") for at, band in enumerate(picture.bands))
    drawn = f'<div class="wide">{bands}</div>'
    if picture.whole:
        screen = svg_element(picture.whole, label=label)
        drawn = f'<div class="wide screen">{screen}</div><div class="paper">{bands}</div>'
    kind = ' class="across"' if picture.is_wide else ""
    caption = f"{picture.caption} Data: {picture.name}.csv."
    return f"<figure{kind}>{drawn}<figcaption>{as_html(caption)}</figcaption></figure>"
