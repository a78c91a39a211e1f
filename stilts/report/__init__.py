"""What a study found, for readers: tables for a terminal, a heat map, an HTML page and a Markdown note.

All of them are made from ``stilts.analysis``' results and share their words (``phrases.py``). Start at ``tables.py``.
"""
