"""Comes in: a corpus. Goes out: the snapshot of the questions, cleaned and in shards, ``questions/<split>/``.

May import recipe, corpora and verifiers, and the nouns that all rooms share; no other stage.
"""
