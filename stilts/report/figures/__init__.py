"""The report's figures: each is drawn from a table that is also its CSV file. Start at ``picture.py``."""
