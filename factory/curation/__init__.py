"""Comes in: the rollouts of a generation. Goes out: its ``examples/`` and ``rejects/``, each attempt in one of them.

May import recipe, checks, corpora and run, and the nouns that all rooms share; no other stage.
"""
