"""Comes in: the tables and records of a generation. Goes out: a published generation, in a folder or on the Hub.

May import recipe, targets and run, and the nouns that all rooms share; no other stage.
"""
