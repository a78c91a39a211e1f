"""Execute: run_stage, the only way a stage is executed. Start at run_stage.py."""
