"""The Python domain: pure functions, their inputs and outputs.

`domain.py` is the `Domain`, `grammar.py` the seed grammar, `plugin.py` what the plugin manager loads. Prompts
may be reworded freely; the names of draft and answer fields are a contract with the verifier.
"""
