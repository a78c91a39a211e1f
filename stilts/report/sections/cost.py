"""Cost against forecast."""

from __future__ import annotations

from stilts.report.figures.cost import cost_plot
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section


def cost_section(material: Material) -> Section | None:
    """What the study took beside what was to be expected; None where nothing is done."""
    plot = cost_plot(material.costs, material.record)
    return Section(name="cost", title="Cost", pictures=(plot,)) if plot else None
