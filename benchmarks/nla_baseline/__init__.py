"""Layered Neural Atlases as its authors describe and run it: the baseline to be measured against.

Written for the benchmark from the paper's numbers (docs/method.md lists them), apart from the
engine: networks, losses, weights, finite differences, data on the host with a gather for each
quantity in each step, 10 000 points a step, every loss read back in every step.
"""
