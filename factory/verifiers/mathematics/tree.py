"""An expression as a tree, and the names that are no variables."""

Tree = tuple[object, ...]
"""``("number", Fraction)``, ``("name", "x")``, or an operation and its operands: ``("+", a, b)``, ``("sin", a)``."""

_FUNCTIONS = "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh exp ln log lg sqrt"
_GREEK = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau phi chi psi omega
    Gamma Delta Theta Lambda Sigma Phi Psi Omega ell
"""
FUNCTIONS, GREEK = frozenset(_FUNCTIONS.split()), frozenset(_GREEK.split())


class Unreadable(ValueError):
    """Raised for what is no expression, or might be two."""


def names(tree: Tree) -> frozenset[str]:
    """The variables of an expression."""
    if tree[0] == "name":
        return frozenset([str(tree[1])]) - {"pi", "e", "i"}
    return frozenset().union(*(names(part) for part in tree[1:] if isinstance(part, tuple)))


def imaginary(tree: Tree) -> bool:
    """Whether an expression names ``i``."""
    return tree == ("name", "i") or any(imaginary(part) for part in tree[1:] if isinstance(part, tuple))
