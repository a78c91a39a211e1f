"""The half of each task kind that needs torch, a file for each; ``learning.py`` says what it has. Start there."""
