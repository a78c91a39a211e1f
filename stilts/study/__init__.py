"""Study: study files, stages with identity, and the plan. No torch. Start at stage.py, then plan.py."""
