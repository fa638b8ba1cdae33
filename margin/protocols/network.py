"""A network of protocols from a file, and what a shock does to it under each model.

Network JSON:

    {"nodes": [{"id": "vault", "kind": "vault", "assets": {"ETH": 10}, "cash": 0, "external_debt": 5000,
                "equity": 9000}],
     "debts": [{"from": "vault", "to": "lender", "usd": 12000}],
     "shares": [{"holder": "fund", "issuer": "vault", "share": 0.4}],
     "loans": [{"from": "fund", "to": "lender", "usd": 3000, "collateral": {"ETH": 2}}],
     "prices": {"ETH": 3000}}

Only `nodes[].id` is required. DeXposure's weekly snapshots are read too: its JSON, and its
tables (time, source, target, size).
Definitions: docs/protocols.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from margin.core.checks import only_keys
from margin.core.errors import InputError, did_you_mean
from margin.protocols.branching import Cascade, Impact, cascade, critical_shock, liquidation_ladder, reproduction
from margin.protocols.clearing import Clearing, clear
from margin.protocols.debtrank import DebtRank, debtrank, spectral_radius
from margin.protocols.dexposure import is_dexposure, read_names, read_snapshots
from margin.protocols.edges import MOST_NODES, read_edges
from margin.protocols.fire_sales import FireSale, fire_sale
from margin.protocols.loans import Loan, LoanPaid, apart, paid, together

SHARE_ROUNDS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """ids (n); amounts (n,) USD but `holdings` (n, k) units of `assets`; prices (k,) USD, NaN where not known.

    loans : without recourse; what they owe and what is pledged stands in `debts` and `holdings` too
    debts (n, n): row owes column; shares (n, n): row holds that part of the column's equity; equity NaN: not stated
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    assets: tuple[str, ...]
    prices: np.ndarray
    holdings: np.ndarray
    cash: np.ndarray
    external: np.ndarray
    equity: np.ndarray
    debts: np.ndarray
    shares: np.ndarray
    loans: tuple[Loan, ...] = ()
    notes: tuple[str, ...] = ()

    def outside(self, moves: Mapping[str, float] | None = None) -> np.ndarray:
        """(n,) USD of what each holds that is no claim on another, after each asset moved by a fraction.

        Raises InputError for an asset that is held and has no price, or a move of one that nobody holds.
        """
        factors = np.ones(len(self.assets))
        for asset, move in (moves or {}).items():
            if asset not in self.assets:
                hint = did_you_mean(asset, self.assets) or f"Held: {', '.join(self.assets) or 'nothing'}."
                raise InputError("shock", asset, "is held by no node", hint)
            if not -1.0 <= move <= 100.0:
                raise InputError(f"shock {asset}", move, "must be a fraction from -1 to 100")
            factors[self.assets.index(asset)] = 1.0 + move
        for i, asset in enumerate(self.assets):
            if np.isnan(self.prices[i]) and self.holdings[:, i].any():
                raise InputError(f"prices.{asset}", None, "is missing", 'Add "prices": {"ETH": 3000}.')
        worth: np.ndarray = self.holdings @ np.nan_to_num(self.prices * factors) + self.cash
        return worth


@dataclass(frozen=True, kw_only=True, eq=False)
class Cleared:
    """Who can pay after a shock. before, after: clearing without and with it; outside (n,) USD after the shock.

    loans : those without recourse, after the shock
    """

    ids: tuple[str, ...]
    outside: np.ndarray
    before: Clearing
    after: Clearing
    loans: tuple[LoanPaid, ...] = ()

    @property
    def losses(self) -> np.ndarray:
        """(n,) USD of equity that the shock costs each node."""
        lost: np.ndarray = self.before.equity - self.after.equity
        return lost

    @property
    def new_defaults(self) -> tuple[str, ...]:
        """Nodes that could pay before and cannot after."""
        fresh = self.after.defaults & ~self.before.defaults
        return tuple(name for name, default in zip(self.ids, fresh, strict=True) if default)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascaded:
    """A cascade of forced sales. falls (n,): at which each node sells, inf: never; sold (n,) USD it then sells.

    end : the fall at which selling stops; r0: at its steepest; critical: (shock, fall it ends at), None where none tips
    """

    ids: tuple[str, ...]
    falls: np.ndarray
    sold: np.ndarray
    end: Cascade
    r0: float
    critical: tuple[float, float] | None


def clear_network(
    network: Network, moves: Mapping[str, float] | None = None, alpha: float = 1.0, beta: float = 1.0
) -> Cleared:
    """Clearing before and after prices move, shares of equity included; external debts are paid first.

    A loan without recourse is paid out of its collateral alone, and before anybody else is paid out of that.
    """
    alone, loans = network, network.loans
    if loans:
        columns = {name: getattr(network, name) for name in ("cash", "external", "equity")}
        fields = apart(loans, network.ids, network.holdings, network.debts, network.shares, **columns)
        alone = replace(network, **fields)
    before, after = (_with_shares(alone, alone.outside(m), alpha, beta) for m in (None, moves))
    return Cleared(
        ids=network.ids,
        outside=network.outside(moves),
        before=together(loans, before),
        after=together(loans, after),
        loans=paid(loans, network.ids, alone.outside(moves), after),
    )


def _with_shares(network: Network, outside: np.ndarray, alpha: float, beta: float) -> Clearing:
    """The greatest solution when some hold shares of others: equity and clearing in turn, downwards, to 1e-10."""
    held = network.shares
    if not held.any():
        return clear(network.debts, outside, network.external, alpha=alpha, beta=beta)
    if spectral_radius(held) >= 1.0:
        raise InputError("shares", "a circle", "of nodes owns itself in full", "Let somebody outside hold a part.")
    paid_in_full = network.debts.sum(axis=0)
    most = np.linalg.solve(np.eye(len(held)) - held, outside + paid_in_full)  # nobody owes, everybody is paid
    found = clear(network.debts, outside + held @ np.maximum(most, 0.0), network.external, alpha=alpha, beta=beta)
    for _ in range(SHARE_ROUNDS):
        worth = outside + held @ found.equity
        after = clear(network.debts, worth, network.external, alpha=alpha, beta=beta)
        if np.abs(after.equity - found.equity).max() <= 1e-10 * max(1.0, float(np.abs(found.equity).max())):
            return after
        found = after
    return found


def rank_network(network: Network, moves: Mapping[str, float], nonlinear: float = 0.0) -> DebtRank:
    """DebtRank after prices move: what a node is owed is what it can lose. Uses the stated equity, else what follows.

    Raises InputError for a node without equity above 0.
    """
    calm = network.outside()
    follows = calm + network.debts.sum(axis=0) - network.debts.sum(axis=1) - network.external
    equity = np.where(np.isnan(network.equity), follows, network.equity)
    for name, value in zip(network.ids, equity, strict=True):
        if not value > 0:
            raise InputError(f"nodes {name} equity", float(value), "must be above 0 for DebtRank", "Use clearing.")
    first = np.clip((calm - network.outside(moves)) / equity, 0.0, 1.0)
    return debtrank(network.debts.T, equity, first, nonlinear)


def sell_network(network: Network, moves: Mapping[str, float], impact: Mapping[str, float]) -> FireSale:
    """Fire sales after prices move. impact : fall per USD sold, by asset; what has none does not fall.

    Holders keep their leverage: (debts owed) / (assets held less debts owed). Raises InputError for one without equity.
    """
    held = network.holdings * np.nan_to_num(network.prices)
    network.outside(moves)  # refuses what has no price
    total = held.sum(axis=1)
    owners = np.flatnonzero(total > 0)
    owed = (network.debts.sum(axis=1) + network.external)[owners]
    equity = total[owners] + network.cash[owners] + network.debts.sum(axis=0)[owners] - owed
    for i, value in zip(owners, equity, strict=True):
        if not value > 0:
            raise InputError(f"nodes {network.ids[i]}", float(value), "has no equity, so no leverage to keep")
    shock = np.array([moves.get(asset, 0.0) for asset in network.assets])
    falls = np.array([impact.get(asset, 0.0) for asset in network.assets])
    leverage = np.divide(owed, equity)
    return fire_sale(total[owners], leverage, held[owners] / total[owners, None], falls, shock)


def cascade_network(network: Network, moves: Mapping[str, float], impact: Impact) -> Cascaded:
    """Forced sales as a cascade: a node whose equity a fall takes away sells what falls, and that moves all prices.

    moves : the shock, falls by asset; falls in between keep its proportions. A node's equity is what it holds and is
            owed less what it owes. Raises InputError without a fall, or for a price that is missing.
    """
    network.outside(moves)  # refuses what has no price
    deepest = -min(moves.values(), default=0.0)
    if not deepest > 0:
        raise InputError("shock", dict(moves), "must have a fall for a cascade", 'E.g. "ETH=-30%".')
    part = np.array([max(-moves.get(asset, 0.0), 0.0) / deepest for asset in network.assets])
    exposed = network.holdings @ np.nan_to_num(network.prices * part)
    owed = network.debts.sum(axis=1) + network.external
    equity = network.outside() + network.debts.sum(axis=0) - owed
    reach = np.divide(np.maximum(equity, 0.0), exposed, out=np.full(len(exposed), np.inf), where=exposed > 0)
    falls = np.where(owed > 0, reach, np.inf)  # who owes nothing is never made to sell
    sold = network.holdings @ np.nan_to_num(network.prices * (part > 0))
    ladder = liquidation_ladder(falls, sold)
    return Cascaded(
        ids=network.ids,
        falls=falls,
        sold=sold,
        end=cascade(ladder, impact, deepest),
        r0=float(reproduction(ladder, impact).max(initial=0.0)),
        critical=critical_shock(ladder, impact),
    )


@cache
def stylised() -> Network:
    """A small made-up network to try the models on: its names are roles, its figures nobody's."""
    return read_network(Path(__file__).with_name("stylised.json").read_text(encoding="utf-8"))


def read_network(
    source: str | bytes | Mapping[str, Any], date: str | None = None, names: str | bytes | None = None
) -> Network:
    """A network from JSON (text or parsed) or a CSV of claims. Raises InputError naming what is wrong and where.

    date  : which snapshot where there are several (default: the last)
    names : DeXposure's `meta_df.csv` (id, name, category), so that its ids are shown by name
    """
    if isinstance(source, Mapping):
        return _of_json(source, date, names)
    text = source.decode("utf-8-sig", errors="replace") if isinstance(source, bytes) else source
    if text.lstrip()[:1] not in ("{", "["):
        claims = read_edges(text, date)
        return _from_mapping(claims.data, claims.notes)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("network", text[:20], f"is not valid JSON at line {error.lineno}: {error.msg}") from None
    if not isinstance(data, Mapping):
        raise InputError("network", str(data)[:20], "must be an object with nodes", 'Give {"nodes": [...]}.')
    return _of_json(data, date, names)


def _of_json(data: Mapping[str, Any], date: str | None, names: str | bytes | None) -> Network:
    if not is_dexposure(data):
        if date is not None:
            raise InputError("date", date, "was asked for, and this network has no dates")
        return _from_mapping(data)
    told = names.decode("utf-8-sig", errors="replace") if isinstance(names, bytes) else names
    claims = read_snapshots(data, date, read_names(told) if told is not None else None)
    return _from_mapping(claims.data, claims.notes)


def _from_mapping(data: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Network:
    only_keys(data, ("nodes", "debts", "shares", "loans", "prices", "name"), "network")
    nodes = _rows(data, "nodes")
    if not 0 < len(nodes) <= MOST_NODES:
        raise InputError("nodes", len(nodes), f"must be 1 to {MOST_NODES:,} nodes")
    for i, node in enumerate(nodes):
        only_keys(node, ("id", "kind", "assets", "cash", "external_debt", "equity"), f"nodes[{i}]")
        if not isinstance(node.get("id"), str) or not node["id"].strip():
            raise InputError(f"nodes[{i}].id", node.get("id"), "must be a name")
    ids = tuple(node["id"] for node in nodes)
    if len(set(ids)) < len(ids):
        raise InputError("nodes", next(i for i in ids if ids.count(i) > 1), "is the id of two nodes")
    pledged = {name for row in _rows(data, "loans") for name in _pledge(row) if name not in ids}
    assets = tuple(sorted(pledged | {asset for node in nodes for asset in node.get("assets", {})}))
    at = {asset: k for k, asset in enumerate(assets)}
    holdings = np.zeros((len(ids), len(assets)))
    for i, node in enumerate(nodes):
        for asset, units in node.get("assets", {}).items():
            holdings[i, at[asset]] = _amount(units, f"nodes.{node['id']}.{asset}")
    given = data.get("prices", {})
    prices = [_amount(given[a], f"prices.{a}") if a in given else (1.0 if a == "USD" else np.nan) for a in assets]

    def column(key: str, missing: float) -> np.ndarray:
        return np.array([_amount(n[key], f"nodes.{n['id']}.{key}") if key in n else missing for n in nodes])

    debts = _matrix(data, "debts", ("from", "to", "usd"), ids)
    loans = _loans(data, ids, assets, debts)
    for loan in loans:
        holdings[loan.borrower] += loan.coins
        debts[loan.borrower, loan.lender] += loan.usd
    return Network(
        ids=ids,
        kinds=tuple(str(node.get("kind", "")) for node in nodes),
        assets=assets,
        prices=np.array(prices),
        holdings=holdings,
        cash=column("cash", 0.0),
        external=column("external_debt", 0.0),
        equity=column("equity", np.nan),
        debts=debts,
        loans=loans,
        shares=_matrix(data, "shares", ("holder", "issuer", "share"), ids),
        notes=notes,
    )


def _loans(
    data: Mapping[str, Any], ids: tuple[str, ...], assets: tuple[str, ...], debts: np.ndarray
) -> tuple[Loan, ...]:
    out, left, at = [], debts.copy(), {name: i for i, name in enumerate(ids)}
    for i, row in enumerate(_rows(data, "loans")):
        where = f"loans[{i}]"
        only_keys(row, ("from", "to", "usd", "collateral"), where)
        borrower, lender = _ends(row, ("from", "to"), at, where)
        coins, claims = np.zeros(len(assets)), np.zeros(len(ids))
        if not _pledge(row):
            hint = 'E.g. "collateral": {"ETH": 5}; a debt without any stands among debts.'
            raise InputError(f"{where}.collateral", row.get("collateral"), "must name what is pledged", hint)
        for name, amount in _pledge(row).items():
            value = _amount(amount, f"{where}.collateral.{name}")
            if name in ids:
                claims[ids.index(name)] = value
            else:
                coins[assets.index(name)] = value
        left[:, borrower] -= claims
        if (short := left[:, borrower] < -1e-9 * (1.0 + debts[:, borrower])).any():
            name = ids[int(short.argmax())]
            hint = f"Among debts, {name} owes {ids[borrower]} what may be pledged, once."
            raise InputError(f"{where}.collateral.{name}", _pledge(row).get(name), "is more than it is owed", hint)
        usd = _amount(row.get("usd"), f"{where}.usd")
        out.append(Loan(borrower=borrower, lender=lender, usd=usd, coins=coins, claims=claims))
    return tuple(out)


def _pledge(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("collateral")
    return found if isinstance(found, Mapping) else {}


def _ends(row: Mapping[str, Any], keys: Sequence[str], at: Mapping[str, int], where: str) -> tuple[int, int]:
    """Numbers of the two nodes that a row names."""
    for key in keys[:2]:
        if not isinstance(row.get(key), str) or row[key] not in at:
            hint = did_you_mean(str(row.get(key)), list(at)) or "Add it to the nodes."
            raise InputError(f"{where}.{key}", row.get(key), "is not a node", hint)
    if row[keys[0]] == row[keys[1]]:
        raise InputError(where, row[keys[0]], "names one node twice", "A node owes and holds nothing of itself.")
    return at[row[keys[0]]], at[row[keys[1]]]


def _matrix(data: Mapping[str, Any], name: str, keys: tuple[str, str, str], ids: tuple[str, ...]) -> np.ndarray:
    out, at = np.zeros((len(ids), len(ids))), {name: i for i, name in enumerate(ids)}
    for i, row in enumerate(_rows(data, name)):
        where = f"{name}[{i}]"
        only_keys(row, keys, where)
        ends = _ends(row, keys, at, where)
        out[ends[0], ends[1]] += _amount(row.get(keys[2]), f"{where}.{keys[2]}")
    if name == "shares" and (out.sum(axis=0) > 1.0 + 1e-12).any():
        raise InputError(name, ids[int(out.sum(axis=0).argmax())], "is held to more than the whole of it")
    return out


def _rows(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(name, str(rows)[:20], "must be a list of objects")
    return rows


def _amount(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < 1e18:
        raise InputError(where, value, "must be a number from 0 to 1e18")
    return float(value)
