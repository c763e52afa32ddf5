"""Comes in: a run, or a published generation. Goes out: what people look back with; nothing is changed.

May import recipe, targets, verifiers and run, and the nouns that all rooms share; only cli and loop import this room.
"""
