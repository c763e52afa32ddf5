"""Comes in: the facts of a generation. Goes out: its card and its figures.

May import nothing of the factory but recipe: whatever a card says, its facts say.
"""
