"""What people look at: the live view of a run and its closing summary.

Records for machines live in the run directory; nothing here is parsed by a program.
"""
