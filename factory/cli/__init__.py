"""Comes in: what people type. Goes out: what they read, and an exit code.

May import every room; only ``factory.__main__`` imports this one. It types and prints, and decides nothing.
"""
