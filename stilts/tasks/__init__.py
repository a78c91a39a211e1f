"""What is learned and from what: Task and Dataset, the registry, and their resolution to pinned views. No torch.

Start at ``task.py``; then ``catalog/`` for real declarations, which ``user_tasks.py`` reads, and ``resolve.py`` for
DESIGN rule 6. Every floor above may import this room.
"""
