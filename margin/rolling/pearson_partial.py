"""The compiled loop for windows that may have holes (min_periods below the window). Importing this imports numba."""

import numpy as np

from margin.rolling.pearson_kernels import compiled


@compiled
def correlate_partial(
    columns: np.ndarray, pairs: np.ndarray, window: int, min_periods: int, block: int, out: np.ndarray
) -> None:
    """Fill out[p] for the windows of one block, pair by pair on the rows where both columns have a value.

    Window t ends at row block W - 1 + t. As in `prepare`, what is subtracted belongs to every window it is used for:
    the last common row before the block, and once the windows have left that behind, the first one inside it.
    """
    n = columns.shape[1]
    first = block * window  # of the block's own rows; the windows begin in the rows before
    held = np.empty((window + 1, 6))
    begins = np.empty(window + 1, dtype=np.int64)
    total = np.empty(6)
    for p in range(pairs.shape[0]):
        x, y = columns[pairs[p, 0]], columns[pairs[p, 1]]
        pivot_row = -1
        for row in range(first - 1, max(first - window, 0) - 1, -1):
            if np.isfinite(x[row]) and np.isfinite(y[row]):
                pivot_row = row
                break
        before = -1  # the common row before the one at hand
        change_x = change_y = -1  # the last common row whose value differs from the common row before
        for row in range(max(first - window, 0), first):
            if np.isfinite(x[row]) and np.isfinite(y[row]):
                if before >= 0:
                    change_x = row if x[row] != x[before] else change_x
                    change_y = row if y[row] != y[before] else change_y
                before = row
        total[:] = 0.0
        held[window] = 0.0
        begins[window] = -1
        for t in range(window - 1, -1, -1):
            row = first - window + t
            begins[t] = begins[t + 1]
            if row >= 0 and np.isfinite(x[row]) and np.isfinite(y[row]):
                _add(total, x[row] - x[pivot_row], y[row] - y[pivot_row])
                begins[t] = row
            held[t] = total
        total[:] = 0.0
        inside = -1  # the first common row of the block itself
        left_behind = False
        for t in range(min(window, n - first + 1)):
            if t > 0:
                row = first + t - 1
                if np.isfinite(x[row]) and np.isfinite(y[row]):
                    if before >= 0:
                        change_x = row if x[row] != x[before] else change_x
                        change_y = row if y[row] != y[before] else change_y
                    before = row
                    if inside < 0:
                        inside = row
                    if not left_behind:
                        if pivot_row < 0:
                            pivot_row = row
                        _add(total, x[row] - x[pivot_row], y[row] - y[pivot_row])
                    else:
                        _add(total, x[row] - x[inside], y[row] - y[inside])
            if not left_behind and begins[t] < 0 and 0 <= pivot_row < first and inside >= 0:
                left_behind = True  # start the sums anew around a value these windows hold
                total[:] = 0.0
                for row in range(inside, first + t):
                    if np.isfinite(x[row]) and np.isfinite(y[row]):
                        _add(total, x[row] - x[inside], y[row] - y[inside])
            end = first + t - 1
            if end < 0:
                continue
            count = held[t, 0] + total[0]
            begin = begins[t] if begins[t] >= 0 else inside
            rho = np.nan
            if count >= min_periods and change_x > begin and change_y > begin:
                sx, sy = held[t, 1] + total[1], held[t, 2] + total[2]
                vx = held[t, 3] + total[3] - sx * sx / count
                vy = held[t, 4] + total[4] - sy * sy / count
                if vx > 0.0 and vy > 0.0:
                    rho = (held[t, 5] + total[5] - sx * sy / count) / np.sqrt(vx) / np.sqrt(vy)
                    rho = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho
            out[p, end] = rho


@compiled
def _add(total: np.ndarray, x: float, y: float) -> None:
    total[0] += 1.0
    total[1] += x
    total[2] += y
    total[3] += x * x
    total[4] += y * y
    total[5] += x * y
