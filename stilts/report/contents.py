"""What the report holds, in its order. A new section is one file in ``sections/`` and one line here."""

from __future__ import annotations

from collections.abc import Callable

from stilts.analysis.results import StudyResults
from stilts.report.sections.answers import answers_section
from stilts.report.sections.claims import claims_section
from stilts.report.sections.cost import cost_section
from stilts.report.sections.encoders import encoders_section
from stilts.report.sections.estimates import estimates_section
from stilts.report.sections.factors import factors_section
from stilts.report.sections.filling import filling_section
from stilts.report.sections.languages import languages_section
from stilts.report.sections.lens import lens_section
from stilts.report.sections.material import Material
from stilts.report.sections.matrix import matrix_section, targets_section
from stilts.report.sections.published import published_section
from stilts.report.sections.robustness import robustness_section
from stilts.report.sections.search import search_section
from stilts.report.sections.section import Section
from stilts.report.sections.settings import settings_section
from stilts.report.sections.sources import sources_section

SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    claims_section,
    published_section,
    answers_section,
    matrix_section,
    targets_section,
    languages_section,
    lens_section,
    sources_section,
    encoders_section,
    robustness_section,
    factors_section,
    filling_section,
    search_section,
    estimates_section,
    cost_section,
    settings_section,
)


def sections_of(results: StudyResults) -> tuple[Section, ...]:
    """The sections that have something to say of a study."""
    material = Material(results=results)
    made = (make(material) for make in SECTIONS)
    return tuple(section for section in made if section is not None)
