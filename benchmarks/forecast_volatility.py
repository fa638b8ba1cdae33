"""Would another volatility make odds watched all the time better? Chosen on the first half, reported on the second.

    python -m benchmarks.forecast_volatility           prints the table of docs/forecast.md, hourly and daily

The books of `bench_forecast` of one leg, judged by the highs and lows of each day. Candidates: other memories of the
EWMA, EWMAs of each day's range (Parkinson 1980; Garman and Klass 1980; Rogers and Satchell 1991, which is Yang and
Zhang's without a gap over night), and a regression of the realised volatility on several of them (Corsi 2009). The
correction is fitted on the first half for each. Last, what cannot be had: the volatility of the days that followed.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks import forecast_rows
from benchmarks.forecast_prices import CANDLES, NEEDED, Recorded, recorded
from benchmarks.forecast_rows import PATHS, SETUPS, Setup
from margin.forecast.calibration import fit, logit, pool
from margin.forecast.first_passage import hit_probability
from margin.forecast.paths import draw, lowest
from margin.forecast.scores import Skill, brier_terms, log_terms, skill
from margin.forecast.volatility import ewma_variance, filter_profits

MEMORIES = (0.7, 0.8, 0.88, 0.94, 0.97, 0.985)  # decay a day
USED = "closes 0.94"
BURN = 60
SEVERAL = {
    "several, of closes": ("closes 0.7", "closes 0.94", "closes 0.985", "long run"),
    "several, of ranges": ("parkinson 0.8", "parkinson 0.94", "parkinson 0.985", "long run"),
}
AFTERWARDS = "known afterwards"


def ranges(found: Recorded) -> dict[str, np.ndarray]:
    """(stamps, assets) variance of each day by its range, at the day's end; NaN elsewhere."""
    table = pd.read_parquet(CANDLES)
    table["end"] = pd.to_datetime(table["date"]) + pd.Timedelta(days=1)
    first = table.pivot(index="end", columns="asset", values="open")
    first = first.reindex(index=pd.DatetimeIndex(found.stamps), columns=list(found.assets))
    assert found.highs is not None and found.lows is not None
    with np.errstate(all="ignore"):
        high, low, close, begin = (np.log(x) for x in (found.highs, found.lows, found.closes, first.to_numpy(float)))
    return {
        "parkinson": (high - low) ** 2 / (4 * np.log(2)),
        "garman-klass": 0.5 * (high - low) ** 2 - (2 * np.log(2) - 1) * (close - begin) ** 2,
        "rogers-satchell": (high - close) * (high - begin) + (low - close) * (low - begin),
    }


def rows(setup: Setup, seed: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    """(books with every volatility per step, (books, paths) lowest points at a volatility of 1)."""
    found = recorded(setup.step, "continuous")
    by_range, per_day, longest = ranges(found), setup.per_day, max(setup.days) * setup.per_day
    gap = np.diff(found.stamps) / np.timedelta64(24 // per_day, "h")
    returns = found.closes[1:] / found.closes[:-1] - 1.0
    returns[gap > 4 if setup.step == "day" else gap > 1] = 0.0
    rng = np.random.default_rng(seed)
    origins = np.arange(setup.history, len(returns) - longest)
    origins = origins[forecast_rows._midnight(found.stamps[origins])][:: max(setup.every // per_day, 1)]
    marks = np.array([d * per_day for d in setup.days])
    out, kept, draws = [], [], None
    for origin in origins.tolist():
        window, ahead = returns[origin - setup.history : origin], slice(origin + 1, origin + longest + 1)
        usable = np.flatnonzero(
            ~np.isnan(window).any(axis=0) & ~np.isnan(found.closes[origin : ahead.stop]).any(axis=0)
        )
        assert found.lows is not None
        usable = usable[(~np.isnan(found.lows[ahead][:, usable])).sum(axis=0) >= max(setup.days)]
        if len(usable) < 2:
            continue
        for _ in range(setup.books):
            chosen, sides = forecast_rows._directions(rng, usable, 1, 1)
            w = (sides - forecast_rows.MAINTENANCE) * rng.lognormal(0.0, 0.6, 1)
            past, path = window[:, chosen] @ w, (found.closes[ahead] / found.closes[origin] - 1.0)[:, chosen] @ w
            worst = np.minimum(path, forecast_rows._worst(found, origin, ahead, chosen, w))
            filtered = filter_profits(past, per_day)
            if draws is None:
                draws = draw(len(filtered.shocks), longest, per_day, PATHS, "continuous", seed=seed)
            lows = lowest(filtered.shocks, filtered.sigma, draws, marks) / filtered.sigma
            known = {"long run": float(past.std()), "plain": float(past[-setup.plain :].std())}
            known |= {f"closes {d}": _ewma(past**2, d ** (1 / per_day), BURN * per_day) for d in MEMORIES}
            span = slice(origin - setup.history + 1, origin + 1)
            for name, table in by_range.items():
                own = table[span, chosen[0]]
                own = np.maximum(own[np.isfinite(own)], 0.0) / per_day * w[0] ** 2
                known |= {f"{name} {d}": _ewma(own, d, BURN) if len(own) > 2 * BURN else np.nan for d in MEMORIES}
            for i, days in enumerate(setup.days):
                steps = days * per_day
                line = float(rng.uniform(0.4, 3.6)) * known["long run"] * np.sqrt(steps)
                then = by_range["parkinson"][origin + 1 : origin + steps + 1, chosen[0]]
                realised = float(np.sqrt(np.nanmean(then) / per_day) * abs(w[0]))
                out.append({"origin": found.stamps[origin], "end": found.stamps[origin + steps], "days": days,
                            "steps": steps, "line": line, "hit": float(worst[:steps].min() <= -line),
                            AFTERWARDS: realised, **known})  # fmt: skip
                kept.append(np.sort(lows[:, i]).astype(np.float32))
    frame = pd.DataFrame(out)
    whole = frame.notna().all(axis=1).to_numpy()
    return frame[whole].reset_index(drop=True), np.array(kept)[whole]


def _ewma(squares: np.ndarray, decay: float, burn: int) -> float:
    return float(np.sqrt(ewma_variance(np.sqrt(squares), decay, float(squares[:burn].mean()))[-1]))


def regressed(frame: pd.DataFrame, names: tuple[str, ...], train: np.ndarray) -> np.ndarray:
    """Volatility by horizon: log realised on the logs of `names`, fitted on `train`."""
    out = np.empty(len(frame))
    for days in frame["days"].unique():
        own = (frame["days"] == days).to_numpy()
        x = np.column_stack([np.ones(own.sum()), np.log(frame.loc[own, list(names)].to_numpy())])
        y = np.log(np.maximum(frame.loc[own, AFTERWARDS].to_numpy(), 1e-9))
        out[own] = np.exp(x @ np.linalg.lstsq(x[train[own]], y[train[own]], rcond=None)[0])
    return out


def odds_of(frame: pd.DataFrame, lows: np.ndarray, sigma: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Closed form and paths at `sigma`, pooled, corrected by horizon on `train`."""
    line, steps = frame["line"].to_numpy(), frame["steps"].to_numpy()
    raw = pool(hit_probability(line, sigma, steps), (lows <= -(line / sigma)[:, None]).mean(axis=1))
    hit, out = frame["hit"].to_numpy(), np.empty(len(frame))
    for days in frame["days"].unique():
        own = (frame["days"] == days).to_numpy()
        a, b = fit(raw[own & train], hit[own & train])
        out[own] = 1 / (1 + np.exp(-(a + b * logit(raw[own]))))
    return out


def report(step: str) -> str:
    """The table of one step, best on the first half first."""
    frame, lows = rows(SETUPS[step])
    middle = frame["origin"].quantile(0.5)
    train = (frame["end"] < middle - pd.Timedelta(days=2)).to_numpy()
    test = (frame["origin"] >= middle).to_numpy()
    hit = frame["hit"].to_numpy()
    weeks = frame["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    base = np.asarray(hit_probability(frame["line"].to_numpy(), frame["plain"].to_numpy(), frame["steps"].to_numpy()))
    names = [c for c in frame.columns if c.split()[0] in ("closes", "parkinson", "garman-klass", "rogers-satchell")]
    odds = {name: odds_of(frame, lows, frame[name].to_numpy(), train) for name in [*names, AFTERWARDS]}
    odds |= {name: odds_of(frame, lows, regressed(frame, own, train), train) for name, own in SEVERAL.items()}

    def over(
        terms: Callable[[np.ndarray, np.ndarray], np.ndarray], p: np.ndarray, q: np.ndarray, part: np.ndarray
    ) -> Skill:
        return skill(terms(p[part], hit[part]), terms(q[part], hit[part]), weeks[part])

    order = sorted(odds, key=lambda n: (n == AFTERWARDS, -over(brier_terms, odds[n], base, train).percent))
    lines = [
        f"**{step}**: {train.sum():,} forecasts before {middle.date()}, {test.sum():,} after.",
        "",
        "| volatility | Brier skill % before | after [95%] | log, after | Brier over the one used, after [95%] |",
        "|---|---|---|---|---|",
    ]
    shown = [*order[:4], *(n for n in (USED, AFTERWARDS) if n not in order[:4])]
    for name in shown:
        p = odds[name]
        before, after, log = (
            over(brier_terms, p, base, train),
            over(brier_terms, p, base, test),
            over(log_terms, p, base, test),
        )
        ours = over(brier_terms, p, odds[USED], test)
        title = f"**{name}** (this is used)" if name == USED else name
        beside = "0" if name == USED else f"{ours.percent:+.1f} [{ours.low:.1f}, {ours.high:.1f}]"
        lines.append(f"| {title} | {before.percent:.1f} | {after.percent:.1f} [{after.low:.1f}, {after.high:.1f}] | "
                     f"{log.percent:.1f} | {beside} |")  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    print("$ python -m benchmarks.forecast_volatility")
    missing = [path.name for path in NEEDED if not path.exists()]
    if missing:
        print(f"skipped, not here: {', '.join(missing)}")
        return
    for step in SETUPS:
        print(f"\n{report(step)}", flush=True)


if __name__ == "__main__":
    main()
