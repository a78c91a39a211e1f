"""A study's stored predictions as a submission in XTREME's format. Start at ``export.py``.

``answered`` reads what an evaluation keeps of its examples, ``fitting`` says which targets and languages XTREME knows,
``official_files`` writes the texts of its files, ``export`` a target's folder, and compares the official figures with
the study's own.
"""
