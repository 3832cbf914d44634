"""Oversight: built-in light plugins that watch a learner that writes its own tasks. On unless switched off.

`screen` keeps drafts out that a policy file denies; `monitor` reads what the policy writes; `drift` compares what it
proposes with what it proposed at the start; `review` is the queue of alarms that paused a run. Nothing here ever enters
a reward: a monitor's score is a type that reward code cannot use, and an import contract keeps that code from knowing
this package. Others rely on `OversightConfig`, `MonitorScore` and `Oversight`; the rest may change freely.
"""
