"""Isolation for any verifier's worker: namespaces, seccomp, limits, control groups, cages, and what the kernel allows.

Linux only, standard library only. A worker runs as a script through `boot`, imports what it needs, and then locks
itself in; nothing here knows what the worker computes. `pool` and `serving` are a whole worker and its supervisor for
code of ours that works on a model's data (SymPy); programs that a model wrote take the Python verifier's. Others rely
on `boot.worker_command`, `namespaces.enter`, `seccomp.assemble`, `limits`, `probe.refusals`, `pool.WorkerPool` and
`serving.serve`; how each does it may change freely.
"""
