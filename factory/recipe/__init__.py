"""Comes in: a YAML file and overrides. Goes out: a checked recipe with its components, or every problem with them.

May import engines, prompts and errors, for their settings; every room may import this one.
"""
