"""The same money over isolated accounts: what each position would have if it stood alone. docs/accounts.md."""

import numpy as np

__all__ = ["shares", "split_money"]


def shares(needs: np.ndarray, axis: int = -1) -> np.ndarray:
    """Each account's share of the money, in proportion to what it needs alone; equal shares where nobody needs any.

    needs : USD >= 0, accounts along `axis`; the shares along it sum to 1
    """
    asked = np.asarray(needs, dtype=float)
    total = asked.sum(axis=axis, keepdims=True)
    count = max(asked.shape[axis], 1)
    return np.where(total > 0, asked / np.where(total > 0, total, 1.0), 1.0 / count)


def split_money(money: float | np.ndarray, needs: np.ndarray, axis: int = -1) -> np.ndarray:
    """USD of each isolated account: `money` (a number, or one per row of the other axes) by `shares`; sums to it."""
    part = shares(needs, axis)
    found: np.ndarray = np.expand_dims(np.asarray(money, dtype=float), axis) * part
    return found
