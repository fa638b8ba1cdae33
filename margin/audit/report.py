"""What an audit says: health, shocks against the fund, concentration, hot spots, and checks of itself."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from margin.audit.gaps import DAYS
from margin.audit.plan import Plan
from margin.audit.summary import BANDS, ODDS_UNIT, STEP, AuditSummary
from margin.core.errors import InputError
from margin.core.impact import square_root_move
from margin.core.market import Market
from margin.risk.tail import expected_shortfall


@dataclass(frozen=True, kw_only=True)
class ShockLine:
    """One shock: accounts closed, their gross, USD bought (> 0) or sold by force per asset, shortfall, fund left.

    fund_left : the fund less the shortfall, USD; below 0 it is not enough
    """

    name: str
    liquidated: int
    notional: float
    forced: dict[str, float]
    shortfall: float
    fund_left: float

    @property
    def beyond_fund(self) -> float:
        """USD of the shortfall that the fund cannot pay: for deleveraging (ADL) or for everybody else to bear."""
        return max(-self.fund_left, 0.0)


@dataclass(frozen=True, kw_only=True)
class FundReport:
    """USD. quantile: 99.5% of the shortfall over the scenarios; cover_one, cover_two: its largest one or two accounts.

    covered : share of scenarios whose shortfall the fund pays in full; adequate: the fund reaches the quantile
    expected : average shortfall over the scenarios
    """

    fund: float
    expected: float
    quantile: float
    cover_one: float
    cover_two: float
    covered: float
    adequate: bool


@dataclass(frozen=True, kw_only=True)
class AssetLine:
    """One asset, USD: open interest long and short, and its concentration: HHI over accounts, 0 to 1.

    effective : 1 / HHI, as many equal accounts would be as concentrated
    reproduction : the ladder's R0 at its worst within a fall of 30%, None without a volume
    """

    asset: str
    long: float
    short: float
    hhi: float | None
    effective: float | None
    reproduction: float | None


@dataclass(frozen=True, kw_only=True)
class HotSpot:
    """An asset in the shock with the largest shortfall, USD: what would not be short without it; its forced flow."""

    asset: str
    shortfall: float
    forced: float


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditReport:
    """The whole report; `to_dict` is the contract of `audit --json`.

    halved    : USD of the largest shortfall that halving one account's positions would take off
    short_hhi, short_top_share : concentration of the accounts' shortfalls, each in its worst shock; None without any
    crowding  : long share of what the tenth of accounts largest by gross holds, None without positions
    """

    plan: Plan
    summary: AuditSummary
    seconds: float
    shocks: tuple[ShockLine, ...]
    es: dict[str, float]
    fund: FundReport
    assets: tuple[AssetLine, ...]
    top: tuple[tuple[str, float], ...]
    top_share: float | None
    hot_spots: tuple[HotSpot, ...]
    halved: float
    short_hhi: float | None
    short_top_share: float | None
    crowding: float | None
    checks: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def bands(self) -> list[tuple[str, int, float]]:
        """(health band, accounts, gross USD)."""
        rows = zip(_band_names(), self.summary.bands.tolist(), self.summary.band_notional.tolist(), strict=True)
        return [(name, int(count), amount / 100.0) for name, count, amount in rows]

    @property
    def expected_calls(self) -> list[tuple[float, float]]:
        """(days, accounts expected to be called within them by the closed form)."""
        return [(days, int(n) / ODDS_UNIT) for days, n in zip(DAYS, self.summary.odds, strict=True)]

    @property
    def overlap(self) -> np.ndarray:
        """(k, k) how much of the smaller of two assets' positions stands in accounts that hold both, 0 to 1.

        sum over accounts of the smaller of the two sizes / the smaller of the two sums; 1 on the diagonal, 0 where
        nothing is held
        """
        shared = self.summary.overlap.astype(float)
        own = np.diag(shared)
        least = np.minimum(own[:, None], own[None, :])
        out: np.ndarray = np.divide(shared, least, out=np.zeros_like(shared), where=least > 0)
        return out

    def ladder(self, asset: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(moves (t,), USD closed by a market fall of so much in each step, the same for a rise)."""
        i = self.plan.assets.index(asset)
        steps = STEP * np.arange(1, self.summary.down.shape[1] + 1)
        return steps, self.summary.down[i].astype(float) / 100.0, self.summary.up[i].astype(float) / 100.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        s = self.summary
        return {
            "as_of": self.plan.as_of,
            "model": self.plan.model,
            "accounts": s.accounts,
            "positions": s.positions,
            "seconds": self.seconds,
            "accounts_per_second": s.accounts / self.seconds if self.seconds > 0 else None,
            "legs_per_account": s.positions / s.accounts if s.accounts else None,
            "equity": s.equity / 100.0,
            "gross": s.gross / 100.0,
            "requirement": s.requirement / 100.0,
            "maintenance": s.maintenance / 100.0,
            "health": [{"band": name, "accounts": count, "gross": usd} for name, count, usd in self.bands],
            "below_1_1": s.near / 100.0,
            "expected_calls": {f"{days:g}d": count for days, count in self.expected_calls},
            "shocks": [{**asdict(line), "beyond_fund": line.beyond_fund} for line in self.shocks],
            "es": self.es,
            "fund": asdict(self.fund),
            "concentration": {
                "assets": [asdict(line) for line in self.assets],
                "top": [{"account": account, "gross": usd} for account, usd in self.top],
                "top_10_share": self.top_share,
                "shortfall_hhi": self.short_hhi,
                "shortfall_top_10_share": self.short_top_share,
                "crowding": self.crowding,
                "overlap": {"assets": list(self.plan.assets), "shares": self.overlap.round(6).tolist()},
            },
            "hot_spots": [asdict(spot) for spot in self.hot_spots],
            "halving_the_largest": self.halved,
            "checks": self.checks,
            "without_history": {"positions": sum(s.unknown.values()), "usd": s.unvalued / 100.0},
            "set_aside": dict(sorted(s.set_aside.items())),
            "remarks": dict(sorted(s.remarks.items())),
            "notes": list(self.notes),
        }


def _band_names() -> list[str]:
    inner = [f"{a:g} to {b:g}" for a, b in pairwise(BANDS)]
    return [*inner, f"above {BANDS[-1]:g}", "nothing required"]


def market_depth(market: Market, plan: Plan) -> tuple[dict[str, float], dict[str, float]]:
    """(USD traded a day, daily volatility) by asset, where known: what `report` takes for R0."""
    traded = {a: market.median_volume(a, plan.as_of) for a in plan.assets}
    vols = np.sqrt(np.diag(plan.covariance)).tolist()
    return {a: v for a, v in traded.items() if v}, dict(zip(plan.assets, vols, strict=True))


def report(
    plan: Plan,
    summary: AuditSummary,
    seconds: float,
    fund: float = 0.0,
    volumes: dict[str, float] | None = None,
    daily_vol: dict[str, float] | None = None,
    tvl: float | None = None,
) -> AuditReport:
    """The report of merged sums. fund USD; volumes, daily_vol: USD traded a day and volatility by asset, for R0.

    tvl : USD that the venue says it holds, to compare the sum of all equities with
    Raises InputError for a fund below 0, or a TVL that is not above 0.
    """
    if not (np.isfinite(fund) and fund >= 0):
        raise InputError("fund", fund, "must be 0 USD or more")
    if tvl is not None and not (np.isfinite(tvl) and tvl > 0):
        raise InputError("tvl", tvl, "must be above 0 USD")
    shocks = tuple(
        ShockLine(
            name=name,
            liquidated=int(summary.closed[j]),
            notional=summary.notional[j] / 100.0,
            forced={a: usd / 100.0 for a, usd in zip(plan.assets, summary.forced[j].tolist(), strict=True) if usd},
            shortfall=summary.shortfall[j] / 100.0,
            fund_left=fund - summary.shortfall[j] / 100.0,
        )
        for j, name in enumerate(plan.names)
    )
    net = (summary.long - summary.short_side).astype(float) / 100.0
    pooled = max(float(expected_shortfall(net @ plan.losses, plan.level)), 0.0)
    total = (summary.long + summary.short_side).sum()
    top = tuple((account, amount / 100.0) for amount, account in summary.top)
    share = sum(amount for amount, _ in summary.top[:10]) / total if total else None
    return AuditReport(
        plan=plan,
        summary=summary,
        seconds=seconds,
        shocks=shocks,
        es={"sum": summary.es / 100.0, "pooled": pooled},
        fund=_fund(summary, fund),
        assets=tuple(_asset(plan, summary, i, volumes or {}, daily_vol or {}) for i in range(len(plan.assets))),
        top=top,
        top_share=share,
        hot_spots=_hot_spots(plan, summary),
        halved=int(summary.halved[_worst(plan, summary)]) / 100.0 if plan.names else 0.0,
        short_hhi=summary.lost_squares / (summary.lost / 100.0) ** 2 if summary.lost else None,
        short_top_share=sum(usd for usd, _ in summary.top_short[:10]) / summary.lost if summary.lost else None,
        crowding=_crowding(summary),
        checks=_checks(plan, summary, tvl),
        notes=(*plan.notes, *_notes(summary)),
    )


def _fund(s: AuditSummary, fund: float) -> FundReport:
    holes = np.sort(s.short.astype(float)) / 100.0
    quantile = float(np.quantile(holes, 0.995, method="inverted_cdf"))
    return FundReport(
        fund=fund,
        expected=float(holes.mean()),
        quantile=quantile,
        cover_one=int(max(s.largest)) / 100.0,
        cover_two=int(max(s.largest + s.second)) / 100.0,
        covered=float((holes <= fund).mean()),
        adequate=fund >= quantile,
    )


def _asset(plan: Plan, s: AuditSummary, i: int, volumes: dict[str, float], vols: dict[str, float]) -> AssetLine:
    asset, interest = plan.assets[i], int(s.long[i] + s.short_side[i])
    hhi = int(s.squares[i]) / (interest / 100.0) ** 2 if interest else None
    volume, vol = volumes.get(asset), vols.get(asset)
    factor = None
    if volume and vol is not None and interest:
        closed = np.cumsum(s.down[i].astype(float)) / 100.0
        impact = square_root_move(closed, volume, vol)
        factor = float((np.diff(np.concatenate([[0.0], impact])) / STEP)[: int(0.3 / STEP)].max())
    return AssetLine(
        asset=asset,
        long=int(s.long[i]) / 100.0,
        short=int(s.short_side[i]) / 100.0,
        hhi=hhi,
        effective=1.0 / hhi if hhi else None,
        reproduction=factor,
    )


def _worst(plan: Plan, s: AuditSummary) -> int:
    """Number of the shock with the largest shortfall, of those without one the one that closes most."""
    return max(range(len(plan.names)), key=lambda j: (s.shortfall[j], s.notional[j]))


def _hot_spots(plan: Plan, s: AuditSummary) -> tuple[HotSpot, ...]:
    """Assets by the shortfall that would not be there without them in the worst shock, then by what is forced."""
    if not plan.names:
        return ()
    worst = _worst(plan, s)
    spots = [
        HotSpot(asset=asset, shortfall=int(short) / 100.0, forced=int(forced) / 100.0)
        for asset, short, forced in zip(plan.assets, s.marginal[worst], s.forced[worst], strict=True)
        if short > 0 or forced
    ]
    return tuple(sorted(spots, key=lambda x: (-x.shortfall, -abs(x.forced), x.asset))[:10])


def _crowding(s: AuditSummary) -> float | None:
    """Long / gross of the largest tenth of accounts with positions; of the row of sizes that is cut, its share."""
    counts, long, short = (getattr(s, name).astype(float)[::-1] for name in ("sizes", "sizes_long", "sizes_short"))
    wanted = 0.1 * counts.sum()
    before = np.concatenate([[0.0], np.cumsum(counts)[:-1]])
    part = np.divide(np.clip(wanted - before, 0.0, counts), counts, out=np.zeros_like(counts), where=counts > 0)
    gross = float((part * (long + short)).sum())
    return float((part * long).sum()) / gross if gross > 0 else None


def equity_to_tvl(summary: AuditSummary, tvl: float) -> float:
    """Sum of all equities over the value that the venue reports, USD above 0, less 1."""
    return summary.equity / 100.0 / tvl - 1.0


def _checks(plan: Plan, s: AuditSummary, tvl: float | None) -> dict[str, Any]:
    nets = {a: int(x - y) / 100.0 for a, x, y in zip(plan.assets, s.long, s.short_side, strict=True)}
    gross = {a: int(x + y) / 100.0 for a, x, y in zip(plan.assets, s.long, s.short_side, strict=True)}
    off = {a: usd for a, usd in nets.items() if gross[a] and abs(usd) > 1e-6 * gross[a] + 0.01 * s.positions}
    counted = sorted(s.differences.elements())
    ordered = sorted(abs(t) for t in counted)
    own = {
        "compared": len(counted),
        "median": counted[len(counted) // 2] / 1000.0 if counted else None,
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)] / 1000.0 if counted else None,
    }
    return {
        "net_open_interest": nets,
        "nets_to_zero": not off,
        "does_not_net": off,
        "negative_equity": s.below_zero,
        "closed_already": s.closed_now,
        "empty_accounts": s.empty,
        "reported_liquidation_prices": own,
        "equity": s.equity / 100.0,
        "reported_tvl": tvl,
        "equity_to_tvl": None if tvl is None else equity_to_tvl(s, tvl),
    }


def _notes(s: AuditSummary) -> list[str]:
    notes = [f"{count:,} {what}." for what, count in sorted(s.remarks.items())]
    aside = sum(s.set_aside.values())
    if aside:
        parts = ", ".join(f"{count:,} {why}" for why, count in sorted(s.set_aside.items()))
        notes.append(f"{aside:,} {'row was' if aside == 1 else 'rows were'} set aside: {parts}.")
    if s.unknown:
        names = ", ".join(name for name, _ in s.unknown.most_common(5))
        count = sum(s.unknown.values())
        share = f", {s.unvalued / (s.unvalued + s.gross):.1%} of notional," if s.unvalued else ""
        notes.append(
            f"{count:,} positions{share} in {len(s.unknown)} assets without enough history here are not judged: "
            f"{names}."
        )
    return notes
