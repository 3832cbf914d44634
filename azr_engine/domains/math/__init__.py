"""The math domain: operations on expressions, judged by the verifier `math`.

`domain.py` is the `Domain`, `grammar.py` the seed grammar, `plugin.py` what the plugin manager loads. No SymPy
here: expressions are texts until a verifier's worker reads them.
"""
