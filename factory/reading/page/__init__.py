"""Comes in: a run. Goes out: one HTML file to look at every attempt with.

May import status, recipe and run, and the nouns that all rooms share.
"""
