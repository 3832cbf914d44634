"""A run on a Ray cluster: verifiers and samplers as actors on its nodes; the loop and the trainer stay where they are.

`open_cluster` connects and starts, `spread` puts verifiers behind the `Verifier` protocol and `RayPolicy` samples
behind the `Policy` protocol, so the loop does not know. Nothing here imports Ray before a cluster is asked for.
"""
