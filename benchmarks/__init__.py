"""Measurements of us beside the peers, in one run; `python -m benchmarks NAME` prints one JSON line."""
