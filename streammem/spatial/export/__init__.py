"""The spatial memory in other programs' formats: Rerun, spark_dsg, PLY, Open3D. Reads; writes one file."""
