"""What is true: one folder per field, each with a `Verifier` that admits drafts and judges answers.

Others rely on the `Verifier` classes alone. Importing this package imports none of the fields; `sandbox` holds
the isolation primitives that any of their workers may use.
"""
