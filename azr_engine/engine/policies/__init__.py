"""Policies: what writes text. `transformers.py` samples with a KV cache in this process.

Others may stand beside it behind `azr_engine.engine.protocols.Policy`.
"""
