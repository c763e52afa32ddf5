"""What the verifier ``math`` knows of mathematics: from the text of an answer to whether it is the same as another.

``formula`` finds the answer in a completion, ``latex`` spells it in one way, ``reading`` tells its shape from brackets,
separators and units, ``expression`` reads what stands between them, ``values`` computes it, ``equality`` compares.
"""
