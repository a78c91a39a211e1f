"""Writes a study's report to MLflow as a Ray job: ``python ray_jobs/report.py --study STUDY --store URL``.

Takes the arguments of ``stilts track``: page, figures and answer become artifacts of the study's run, where they last.
"""

from __future__ import annotations

import sys

from stilts.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["track"]
    main()
