"""What is done per question: one async function a file.

A strategy takes a :class:`~factory.attempt.Question` and :class:`~factory.attempt.Ask`, both by position, and
returns the attempts in the order in which it asked for them; its further parameters are settings of the recipe.
"""
