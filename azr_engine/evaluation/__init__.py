"""Evaluation: suites, pass@k with intervals and crossings, comparisons, replays, and probes of safety and reasoning.

`data/heldout.jsonl` is only for reporting: nothing is tuned on it and none of its tasks is ever admitted to a run.
"""
