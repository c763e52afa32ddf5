"""pass@k against its definition: the share of draws of k samples among which one is correct."""

from itertools import combinations

import pytest

from factory.estimates import pass_at


@pytest.mark.parametrize(("n", "correct"), [(1, 0), (1, 1), (4, 0), (4, 1), (5, 2), (6, 6)])
def test_it_is_the_share_of_all_draws(n: int, correct: int) -> None:
    samples = [True] * correct + [False] * (n - correct)
    for k in range(1, n + 1):
        draws = [any(draw) for draw in combinations(samples, k)]
        assert pass_at(k, n, correct) == pytest.approx(sum(draws) / len(draws))


@pytest.mark.parametrize("k", [0, 5])
def test_more_than_there_are_cannot_be_drawn(k: int) -> None:
    with pytest.raises(ValueError, match=f"{k} of 4 samples"):
        pass_at(k, 4, 1)
