"""How the policy learns: the loss, the batching, and the backends behind one `Trainer` protocol.

Backends may change freely; `Sample`, `TrainerConfig` and the metrics an update returns are relied on by the loop.
"""
