"""The Lean verifier: proofs checked by Lean's compiled frontend, a reader of its modules, and a second kernel run."""
