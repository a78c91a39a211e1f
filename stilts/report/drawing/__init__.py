"""Pictures as lists of plain shapes, written as SVG by string formatting; resvg rasterises that to PNG.

A plotting library's own text layout costs more than a whole report may take, and answers where a text ends only after
drawing it. Here every text has a box by the font's table of widths (``text.py``), so that overlaps are avoided while a
picture is laid out. Units are points (1/72 inch), y grows downwards. Start at ``scene.py``.
"""
