"""Comes in: shards of questions and model n. Goes out: ``rollouts/`` and ``evaluation/`` of generation n, and figures.

May import recipe, engines, verifiers and run, and the nouns that all rooms share; no other stage.
"""
