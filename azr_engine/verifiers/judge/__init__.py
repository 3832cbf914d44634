"""Judges that can be wrong (neural, sampled, planted) and how their votes become verdicts."""
