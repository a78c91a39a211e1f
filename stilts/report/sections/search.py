"""What the search tried: history of proposals, and mixtures."""

from __future__ import annotations

from stilts.report.figures.mixtures import mixture_plot
from stilts.report.figures.search import history_plot
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section


def search_section(material: Material) -> Section | None:
    """Search history and mixtures; None where nothing was searched, or no proposal is drawn yet."""
    plots = (
        history_plot(material.proposals, material.record.name),
        mixture_plot(material.mixtures, material.record.name),
    )
    pictures = tuple(plot for plot in plots if plot is not None)
    return Section(name="search", title="Search", pictures=pictures) if pictures else None
