"""Python programs: a sandbox that runs them, and a verifier that admits tasks and judges answers.

Others rely on `PythonVerifier`, `gold_text`, `choose_executor`, `probe_tiers` and `program_skeleton`, each imported
from its own module (`verifier`, `executor`, `skeleton`) so that none drags in the others; how a tier isolates, how
workers talk and what the probes are may change freely.
"""
