"""Evaluation: fixed suites, pass@k, intervals, and the fixed held-out tasks of the built-in domains.

`data/heldout.jsonl` is only for reporting: nothing is tuned on it and none of its tasks is ever admitted to a run.
"""
