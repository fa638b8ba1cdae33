"""Is the forecast better than distance in sigmas, and than machine learning? On recorded prices, out of sample.

    python -m benchmarks.bench_forecast            prints the scoreboard, hourly and daily
    python -m benchmarks.bench_forecast --write    and stores the correction table and the tables of docs/forecast.md

Purged walk-forward: folds of six months; training rows whose window ends later than two days before a fold are left
out. Intervals: bootstrap over weeks. Watched all the time (what the page shows): books of one leg, judged by the highs
and lows of each day; watched at closes: books of one to eight legs. Books of several legs watched all the time stand
between two bounds. Needs ../shared/market (skipped where absent) and scikit-learn (development only).
"""

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_prices import NEEDED, closes
from benchmarks.forecast_rows import FEATURES, SETUPS, rows, rows_of_several_legs
from margin.forecast.calibration import TABLE, Calibration, fit, logit
from margin.forecast.first_passage import Watched
from margin.forecast.scores import auc, brier_terms, calibration_error, log_terms, reliability, skill

DOCS = Path(__file__).resolve().parent.parent / "docs" / "forecast.md"
TITLES = {
    "climate": "base rate of the past, by horizon",
    "refl_win": "distance in sigmas (baseline)",
    "refl_ewma": "the same, volatility today",
    "closed": "closed form, watched at closes",
    "fhs_block": "paths of one-day blocks",
    "pool": "both, pooled",
    "platt_refl": "baseline, corrected",
    "platt_pool": "**both, pooled and corrected (this is used)**",
    "trees": "boosted trees on all features",
    "trees_quarter": "boosted trees on a quarter of the rows",
    "logistic": "logistic regression on the features",
}
WORDS = {"hour": "hourly", "day": "daily"}
ALL_THE_TIME: Watched = "continuous"
WAYS: tuple[Watched, ...] = (ALL_THE_TIME, "closes")
FIRST = {"hour": "2022-07-01", "day": "2020-07-01"}  # of the first fold out of sample
PURGE = pd.Timedelta(days=2)


def walk_forward(frame: pd.DataFrame, first: str) -> pd.DataFrame:
    """The rows out of sample with the fitted models' odds beside the structural ones."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = [f"x{i}" for i in range(len(FEATURES))]
    parts = []
    for start in pd.date_range(first, frame["origin"].max(), freq="6MS"):
        test = frame[(frame["origin"] >= start) & (frame["origin"] < start + pd.DateOffset(months=6))].copy()
        train = frame[frame["end"] < start - PURGE]
        if len(test) < 100 or len(train) < 500:
            continue
        for days, own in test.groupby("days"):
            past = train[train["days"] == days]
            test.loc[own.index, "climate"] = past["hit"].mean()
            for name, source in (("platt_pool", "pool"), ("platt_refl", "refl_win")):
                a, b = fit(past[source].to_numpy(), past["hit"].to_numpy())
                test.loc[own.index, name] = 1 / (1 + np.exp(-(a + b * logit(own[source].to_numpy()))))
        trees = HistGradientBoostingClassifier(
            max_iter=200, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=100, l2_regularization=1.0,
            random_state=0,
        )  # fmt: skip
        test["trees"] = trees.fit(train[x], train["hit"]).predict_proba(test[x])[:, 1]
        part = train.sample(len(train) // 4, random_state=0)
        test["trees_quarter"] = trees.fit(part[x], part["hit"]).predict_proba(test[x])[:, 1]
        plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        test["logistic"] = plain.fit(train[x[:-2]], train["hit"]).predict_proba(test[x[:-2]])[:, 1]
        parts.append(test)
    return pd.concat(parts)


def titles(test: pd.DataFrame) -> dict[str, str]:
    """The models by name; watched all the time the closed form is "the same, volatility today"."""
    twice = bool((test["closed"] == test["refl_ewma"]).all())
    return {name: title for name, title in TITLES.items() if not (twice and name == "closed")}


def scoreboard(test: pd.DataFrame) -> str:
    """The table in markdown: lower scores are better, skill is percent better than the baseline with its interval."""
    y = test["hit"].to_numpy()
    weeks = test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    reference = {kind: terms(test["refl_win"].to_numpy(), y) for kind, terms in TERMS.items()}
    lines = [
        "| model | Brier | log | AUC | ECE | Brier skill % [95%] | log skill % [95%] |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in titles(test).items():
        p = test[name].to_numpy()
        said = []
        for kind, terms in TERMS.items():
            if name == "refl_win":
                said.append("0")
                continue
            s = skill(terms(p, y), reference[kind], weeks)
            said.append(f"{s.percent:.1f} [{s.low:.1f}, {s.high:.1f}]")
        lines.append(
            f"| {title} | {brier_terms(p, y).mean():.4f} | {log_terms(p, y).mean():.4f} | {auc(p, y):.3f} | "
            f"{calibration_error(p, y):.3f} | {said[0]} | {said[1]} |"
        )
    return "\n".join(lines)


TERMS = {"brier": brier_terms, "log": log_terms}


def scores(test: pd.DataFrame) -> list[dict[str, object]]:
    """The scoreboard as the page shows it."""
    y = test["hit"].to_numpy()
    weeks = test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    out = []
    for name, title in titles(test).items():
        p = test[name].to_numpy()
        s = skill(brier_terms(p, y), brier_terms(test["refl_win"].to_numpy(), y), weeks)
        figures = {"skill": s.percent, "low": s.low, "high": s.high}
        row = {"model": title.replace("*", ""), "brier": brier_terms(p, y).mean(), "log": log_terms(p, y).mean()}
        out.append({**row, **figures} if name != "refl_win" else {**row, "skill": 0.0, "low": 0.0, "high": 0.0})
    return [{k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in out]


def chosen_skill(test: pd.DataFrame, against: str = "refl_win") -> str:
    """Brier and log skill of the model used, in a sentence."""
    y, p, q = (test[c].to_numpy() for c in ("hit", "platt_pool", against))
    weeks = test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    said = []
    for kind, terms in TERMS.items():
        s = skill(terms(p, y), terms(q, y), weeks)
        said.append(f"{s.percent:+.1f}% [{s.low:.1f}, {s.high:.1f}] in {kind} score")
    return f"The model used over {TITLES[against].split(' (')[0]}: {', '.join(said)}."


def curve(test: pd.DataFrame) -> str:
    """Reliability of the baseline and of the model used: mean forecast and what came true, by tenths."""
    weeks = test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    lines = [
        "| tenth | baseline says | came true | the model used says | came true | 90% band |",
        "|---|---|---|---|---|---|",
    ]
    y = test["hit"].to_numpy()
    base = reliability(test["refl_win"].to_numpy(), y, 10)
    ours = reliability(test["platt_pool"].to_numpy(), y, 10, weeks)
    for i, (b, o) in enumerate(zip(base, ours, strict=False)):
        lines.append(f"| {i + 1} | {b.forecast:.3f} | {b.observed:.3f} | {o.forecast:.3f} | {o.observed:.3f} | "
                     f"{o.low:.3f} to {o.high:.3f} |")  # fmt: skip
    return "\n".join(lines)


def table_of(frame: pd.DataFrame, step: str, watched: Watched) -> dict[str, object]:
    """The correction that is stored: fitted on every row, by horizon."""
    found = {int(days): fit(own["pool"].to_numpy(), own["hit"].to_numpy()) for days, own in frame.groupby("days")}
    days = frame["origin"].to_numpy().astype("datetime64[D]")
    coins = "14 coins and PAXG" if step == "hour" else "24 coins and PAXG, where each trades"
    what = "closes" if watched == "closes" else "prices, with the highs and lows of each day"
    legs = "1 to 8 legs" if watched == "closes" else "one leg"
    return {
        "sample": f"recorded {WORDS[step]} {what}, of {coins}, {days.min()} to {days.max()}, "
        f"made-up books of {legs} at 0.4 to 3.6 long-run standard deviations",
        "days": list(found),
        "a": [round(a, 3) for a, _ in found.values()],
        "b": [round(b, 3) for _, b in found.values()],
        "rows": len(frame),
        "windows": len(np.unique(days.astype(int) // 7)),
    }  # fmt: skip


def several_legs(stored: dict[str, object]) -> str:
    """Books of several legs watched all the time, between the least and the most that can have come true."""
    frame = rows_of_several_legs()
    own = Calibration(days=stored["days"], a=stored["a"], b=stored["b"], source="table")  # type: ignore[arg-type]
    frame["used"] = own.apply(frame["pool"].to_numpy(), frame["days"].to_numpy(float))
    weeks = frame["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    lines = ["| books | forecasts | baseline says | the model used says | came true, at least | at most |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, part in (("all", frame), *frame.groupby("kind")):
        lines.append(
            f"| {name} | {len(part):,} | {part['refl_win'].mean():.3f} | {part['used'].mean():.3f} | "
            f"{part['at_closes'].mean():.3f} | {part['hit'].mean():.3f} |"
        )
    said = []
    for name, label in (("the least", "at_closes"), ("the most", "hit")):
        y = frame[label].to_numpy()
        s = skill(brier_terms(frame["used"].to_numpy(), y), brier_terms(frame["refl_win"].to_numpy(), y), weeks)
        said.append(f"{s.percent:+.1f}% [{s.low:.1f}, {s.high:.1f}] if {name} came true")
    first, last = (pd.Timestamp(t).date() for t in (frame["origin"].min(), frame["origin"].max()))
    head = (
        f"**Books of two to eight legs, watched all the time**: {first} to {last}, {len(np.unique(weeks))} weeks of "
        "hourly highs and lows, none of them used for the correction. At least: at the closes of hours. At most: every "
        "leg at its worst of the hour at once."
    )
    return "\n\n".join([head, "\n".join(lines), f"Brier score over distance in sigmas: {', '.join(said)}."])


def speed() -> str:
    """CPU time of the walk, 4,000 paths x 168 steps, and of one whole forecast."""
    from margin.forecast.calibration import NONE
    from margin.forecast.walk import kept_draws, walk_of_profits

    profits = np.random.default_rng(0).standard_t(4, 180 * 24)
    said = []
    for name, clear in (("with new random numbers", True), ("with those of the last account", False)):
        times = []
        for _ in range(7):
            if clear:
                kept_draws.cache_clear()
            started = time.process_time()
            walk_of_profits(profits, 24.0, 24, 168, NONE).odds(10.0, 7.0)
            times.append(1e3 * (time.process_time() - started))
        said.append(f"{name} {np.median(times[1:]):.1f} ms")
    return f"4,000 paths x 168 steps, bridge included, CPU: {', '.join(said)} (target 30 ms)"


def whole() -> str:
    """CPU time of one forecast of three perpetuals on recorded hourly prices, with all that the page shows of it."""
    from margin import Collateral, Market, Portfolio, Position
    from margin.forecast import forecast

    market = Market(closes("hour"))
    legs = (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0), Position("SOL/USDT:USDT", 200.0))
    times: dict[str, list[float]] = {"forecast": [], "curves, drivers, legs, capital": []}
    for run in range(6):
        book = Portfolio(legs, (Collateral("USD", 12_000.0 + run),))
        started = time.process_time()
        found = forecast(book, market, model="binance:cross")
        between = time.process_time()
        _ = (found.survival, found.first.money_curve(3.0), found.first.drivers(), found.first.legs())
        found.capital_for(0.05, 7.0)
        times["forecast"].append(1e3 * (between - started))
        times["curves, drivers, legs, capital"].append(1e3 * (time.process_time() - between))
    said = ", ".join(f"{name} {np.median(ms[1:]):.0f} ms" for name, ms in times.items())
    return f"three perpetuals on hourly prices, Binance cross, CPU: {said} (target 250 ms a page)"


def main() -> None:
    print("$ python -m benchmarks.bench_forecast")
    print(speed())
    missing = [path.name for path in NEEDED if not path.exists()]
    if missing:
        print(f"skipped, not here: {', '.join(missing)}")
        return
    print(whole())
    stored: dict[str, object] = {"fitted": str(pd.Timestamp.now("UTC").date())}
    texts = []
    for step, first in FIRST.items():
        kept: dict[str, dict[str, object]] = {}
        for watched in WAYS:
            frame = rows(SETUPS[step], watched)
            test = walk_forward(frame, first)
            weeks = len(np.unique(test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7))
            how = "watched at closes" if watched == "closes" else "watched all the time, one leg"
            head = (
                f"**{WORDS[step].capitalize()} prices, {how}**: {len(frame):,} forecasts, {len(test):,} out of "
                f"sample in {weeks} weeks, {test['hit'].mean():.1%} came true."
            )
            said = f"{chosen_skill(test)} {chosen_skill(test, 'trees')}"
            text = "\n\n".join([head, scoreboard(test), said, curve(test)])
            print(f"\n{text}", flush=True)
            texts.append(text)
            kept[watched] = {**table_of(frame, step, watched), "scores": scores(test), "weeks": weeks,
                             "tested": len(test)}  # fmt: skip
        stored[step] = kept
        if step == "hour":
            texts.append(several_legs(kept[ALL_THE_TIME]))
            print(f"\n{texts[-1]}")
    if "--write" in sys.argv:
        TABLE.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
        begin, end = "<!-- scoreboard -->", "<!-- end of scoreboard -->"
        page = DOCS.read_text(encoding="utf-8")
        body = f"{begin}\n" + "\n\n".join(texts) + f"\n{end}"
        DOCS.write_text(re.sub(f"{begin}.*{end}", lambda _: body, page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
