"""Scores of a folder in XTREME's submission format, as the official scorer forms them. Start at ``submission.py``.

``benchmarks`` says what XTREME and XTREME-R consist of, ``submission_files`` reads the files, ``checks`` compares the
two sides, ``language_scores`` scores one language, ``submission`` the whole folder. The rules are
google-research/xtreme's evaluate.py at commit 838c13b with seqeval 0.0.12; the figures come from ``stilts.metrics``.
"""
