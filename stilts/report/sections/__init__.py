"""The report's sections, one file each; ``contents.py`` (one floor up in this room) lists them in their order."""
