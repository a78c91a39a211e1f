"""The command line: one file per group of verbs, and the composition root. Start at compose.py."""
