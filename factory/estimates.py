"""What shares and passes are estimated by."""

import math


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``n`` questions (Wilson's score interval).

    Also for means of pass rates over several samples, where it is wider than need be: their variance is smaller.
    """
    z2 = 1.96**2 / n
    centre, half = share + z2 / 2, 1.96 * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return (centre - half) / (1 + z2), (centre + half) / (1 + z2)


def pass_at(k: int, n: int, correct: int) -> float:
    """The probability that of ``k`` of a question's ``n`` samples, drawn at random, one is correct.

    The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, section 2.1): ``1 - C(n - c, k) / C(n, k)``.

    Raises:
        ValueError: there are fewer than ``k`` samples.
    """
    if not 0 < k <= n:
        raise ValueError(f"{k} of {n} samples cannot be drawn")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)
