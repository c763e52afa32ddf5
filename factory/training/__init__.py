"""Comes in: a base and examples. Goes out: a checkpoint, trained by torchtune in a process of its own.

May import recipe, and the nouns that all rooms share; no other stage. What torchtune runs is in ``factory.tuning``.
"""
