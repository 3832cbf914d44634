"""Domains: what a task looks like. One folder each, with its prompts, its parsing and a grammar that seeds it.

A domain holds no truth: it names the verifier that does. Add a folder (or a plugin package) to add a domain;
nothing elsewhere needs to change.
"""
