"""Evaluation: published benchmarks read (`formats`), asked (`run`), compared (`baselines`), scored (`metrics`), shown
(`report`), and needle tests made (`synth`). `streammem eval` and `streammem.evaluate` are the doors.
"""
