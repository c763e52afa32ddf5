"""Comes in: two published generations. Goes out: what differs between them.

May import targets, and the nouns that all rooms share.
"""
