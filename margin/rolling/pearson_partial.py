"""The compiled loops for windows that may have holes (min_periods below the window). Importing this imports numba.

Sixteen pairs run side by side, block after block: sums over the rows where both columns have a value, the end of the
block before plus the beginning of its own (see margin/rolling/pearson.py). Values are taken about the mean of the rows
before the block, which every later row leaves alone. Where a window's values still lie so far from that mean that
digits would be lost, or one of them does not vary, the window is worked out again from its own rows. Windows without
a hole are those of margin/rolling/pearson_kernels.py, whose sums the pairs share.
"""

import numpy as np

from margin.rolling.pearson_kernels import compiled, compiled_lanes

LANES = 16
SUMS = 6  # count, x, y, x x, y y, x y
LOST = 1e-2  # of the squares about the pivot: with less left about the mean, two digits are gone


@compiled
def pivots(columns: np.ndarray, window: int, begin: int, end: int) -> np.ndarray:
    """(k, end - begin) mean of each column's values in the `window` rows before each block; 0 where there are none."""
    k = columns.shape[0]
    out = np.zeros((k, end - begin))
    for c in range(k):
        for b in range(begin, end):
            total, count = 0.0, 0
            for row in range(max((b - 1) * window, 0), b * window):
                if np.isfinite(columns[c, row]):
                    total += columns[c, row]
                    count += 1
            mean = total / count if count else 0.0
            out[c, b - begin] = mean if np.isfinite(mean) else 0.0
    return out


@compiled
def holes(columns: np.ndarray, window: int, begin: int, end: int) -> np.ndarray:
    """(k, end - begin) whether some, but not all, of the rows that a block's windows hold have no value."""
    k, n = columns.shape
    out = np.zeros((k, end - begin), dtype=np.bool_)
    for c in range(k):
        for b in range(begin, end):
            missing, held = b == 0, False
            for row in range(max((b - 1) * window, 0), min((b + 1) * window, n)):
                if np.isfinite(columns[c, row]):
                    held = True
                else:
                    missing = True
            out[c, b - begin] = missing and held
    return out


@compiled_lanes
def correlate_partial(
    columns: np.ndarray, pairs: np.ndarray, window: int, min_periods: int, begin: int, end: int, out: np.ndarray
) -> None:
    """Fill the windows with holes of out[p], blocks begin to end - 1; window t of a block ends at row block W - 1 + t.

    Whole windows, and those without any value of a column, are left as margin/rolling/pearson_kernels.py filled them.
    """
    n, count = columns.shape[1], pairs.shape[0]
    about, open_ = pivots(columns, window, begin, end), holes(columns, window, begin, end)
    rows = np.empty(2 * window * 2 * LANES)  # the block before and its own: row by row the x of every pair, then the y
    held = np.empty((window + 1) * SUMS * LANES)  # sums from row t of the block before to its end
    total = np.empty(SUMS * LANES)
    result = np.empty(window * LANES)
    pivot = np.empty(2 * LANES)
    for start in range(0, count, LANES):
        used = min(LANES, count - start)
        gathered = False  # whether the rows before the block are at hand
        for block in range(begin, end):
            first = block * window
            wanted = False
            for p in range(start, start + used):
                wanted = wanted or open_[pairs[p, 0], block - begin] or open_[pairs[p, 1], block - begin]
            if not wanted:  # its windows are whole, or hold nothing of one column: margin/rolling/pearson.py has them
                gathered = False
                continue
            own = (
                block & 1
            ) * window  # the two halves of `rows` take turns: what is a block's own is the next one's before
            before = window - own
            for half in range(1 if gathered else 0, 2):
                to, origin = (before, first - window) if half == 0 else (own, first)
                for lane in range(LANES):
                    p = start + min(lane, used - 1)
                    x, y = columns[pairs[p, 0]], columns[pairs[p, 1]]
                    for t in range(window):
                        row = origin + t
                        inside = 0 <= row < n
                        rows[(to + t) * 2 * LANES + lane] = x[row] if inside else np.nan
                        rows[(to + t) * 2 * LANES + LANES + lane] = y[row] if inside else np.nan
            gathered = True
            for lane in range(LANES):
                p = start + min(lane, used - 1)
                pivot[lane] = about[pairs[p, 0], block - begin]
                pivot[LANES + lane] = about[pairs[p, 1], block - begin]
            total[:] = 0.0
            for t in range(window - 1, -1, -1):
                _add(rows, (before + t) * 2 * LANES, pivot, total)
                at = t * SUMS * LANES
                for q in range(SUMS * LANES):
                    held[at + q] = total[q]
            total[:] = 0.0
            for t in range(window):
                _correlate(held, t * SUMS * LANES, total, min_periods, window, result, t * LANES)
                _add(rows, (own + t) * 2 * LANES, pivot, total)
            for lane in range(used):
                p = start + lane
                line = out[p]
                for t in range(window):
                    at = first - 1 + t
                    if at < 0 or at >= n:
                        continue
                    value = result[t * LANES + lane]
                    if value > 2.5:  # every row has both values
                        continue
                    if value > 1.5:  # digits were lost, or nothing varies
                        value = _exact(columns[pairs[p, 0]], columns[pairs[p, 1]], max(at - window + 1, 0), at + 1)
                    line[at] = value


@compiled_lanes
def _add(rows: np.ndarray, at: int, pivot: np.ndarray, total: np.ndarray) -> None:
    """One row of every pair into the sums, where both of its values are there."""
    for lane in range(LANES):
        x, y = rows[at + lane] - pivot[lane], rows[at + LANES + lane] - pivot[LANES + lane]
        there = (x - x) + (y - y) == 0.0
        x = x if there else 0.0
        y = y if there else 0.0
        total[lane] += 1.0 if there else 0.0
        total[LANES + lane] += x
        total[2 * LANES + lane] += y
        total[3 * LANES + lane] += x * x
        total[4 * LANES + lane] += y * y
        total[5 * LANES + lane] += x * y


@compiled_lanes
def _correlate(
    held: np.ndarray, at: int, total: np.ndarray, min_periods: int, window: int, result: np.ndarray, to: int
) -> None:
    """Correlation of one window of every pair; NaN: too few rows, 2: to be worked out again, 3: whole."""
    for lane in range(LANES):
        count = held[at + lane] + total[lane]
        sx = held[at + LANES + lane] + total[LANES + lane]
        sy = held[at + 2 * LANES + lane] + total[2 * LANES + lane]
        xx = held[at + 3 * LANES + lane] + total[3 * LANES + lane]
        yy = held[at + 4 * LANES + lane] + total[4 * LANES + lane]
        xy = held[at + 5 * LANES + lane] + total[5 * LANES + lane]
        vx, vy = xx - sx * sx / count, yy - sy * sy / count
        rho = (xy - sx * sy / count) / (np.sqrt(vx) * np.sqrt(vy))
        rho = min(max(rho, -1.0), 1.0)
        fine = (vx > LOST * xx) & (vy > LOST * yy)
        value = rho if fine else 2.0
        value = value if count >= min_periods else np.nan
        result[to + lane] = 3.0 if count >= window else value


@compiled
def _exact(x: np.ndarray, y: np.ndarray, begin: int, end: int) -> float:
    """One window from its own rows: means first, then squares about them; NaN where one of the two does not vary."""
    count, mx, my = 0, 0.0, 0.0
    ax = ay = 0.0
    still_x = still_y = True
    for row in range(begin, end):
        if np.isfinite(x[row]) and np.isfinite(y[row]):
            if count == 0:
                ax, ay = x[row], y[row]
            still_x &= x[row] == ax
            still_y &= y[row] == ay
            count += 1
            mx += x[row] - ax
            my += y[row] - ay
    if still_x or still_y:
        return np.nan
    mx, my = mx / count, my / count
    vx = vy = xy = 0.0
    for row in range(begin, end):
        if np.isfinite(x[row]) and np.isfinite(y[row]):
            u, v = x[row] - ax - mx, y[row] - ay - my
            vx += u * u
            vy += v * v
            xy += u * v
    if not (vx > 0.0 and vy > 0.0):
        return np.nan
    rho: float = xy / np.sqrt(vx) / np.sqrt(vy)
    return min(max(rho, -1.0), 1.0)
