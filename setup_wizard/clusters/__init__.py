"""Whole clusters: plans, the runs that carry them out, and the page of a cluster.

document, requests   a plan as JSON, and the bootstrap request of each of its nodes
models               plans, runs and their events
decisions            what a run does next, without side effects
engine               the only writer of runs
"""
