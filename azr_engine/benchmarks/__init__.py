"""Measurements of this machine, each beside a floor or a peer from the same run; `azr-engine bench` prints them.

A benchmark is a function without arguments that returns figures. Change what is inside freely; the names and the units
of the figures are kept, since results are compared over time. Scripts for rarer questions are in the checkout's
`benchmarks/`.
"""
