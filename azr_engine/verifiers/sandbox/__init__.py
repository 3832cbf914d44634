"""Isolation primitives for any verifier's worker: namespaces, seccomp, resource limits, and what the kernel allows.

Linux only, standard library only. A worker runs as a script through `boot`, imports what it needs, and then
locks itself in; nothing here knows what the worker computes. Others rely on `boot.worker_command`,
`namespaces.enter`, `seccomp.install`, `limits` and `probe.refusals`; how each does it may change freely.
"""
