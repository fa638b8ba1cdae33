"""The same money over isolated accounts, by what each needs alone; conserved whatever the book."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.ladder.isolated_accounts import shares, split_money


def test_money_follows_what_each_needs_alone():
    assert split_money(9_000.0, np.array([1.0, 2.0])) == pytest.approx([3_000.0, 6_000.0])


def test_where_nobody_needs_any_it_is_shared_equally():
    assert shares(np.zeros(4)) == pytest.approx([0.25] * 4)


def test_many_accounts_at_once_along_another_axis():
    held = split_money(np.array([100.0, 50.0, 8.0]), np.array([[1.0, 0.0, 0.0], [3.0, 2.0, 0.0]]), axis=0)
    np.testing.assert_allclose(held, [[25.0, 0.0, 4.0], [75.0, 50.0, 4.0]])


@given(st.floats(-1e9, 1e9), st.lists(st.floats(0, 1e9), min_size=1, max_size=20))
def test_money_is_conserved(money, needs):
    assert split_money(money, np.array(needs)).sum() == pytest.approx(money, abs=1e-6)
