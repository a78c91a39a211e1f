"""The command line: one file per group of verbs, with what it prints. What a verb does is in ``app/``."""
