"""What to believe of a verifier that can be wrong: measured error rates, corrections, stopping rules, panels, alarms.

Pure and synchronous; nothing here calls a judge.
"""
