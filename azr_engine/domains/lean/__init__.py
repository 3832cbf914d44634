"""The Lean domain: statements to prove, judged by the verifier `lean`.

`domain.py` is the `Domain`, `grammar.py` and `seeds.py` make its seeds, `plugin.py` is what the plugin manager loads.
No Lean here: statements and proofs are texts until the verifier has them checked.
"""
