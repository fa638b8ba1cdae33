"""The audit of a whole venue: every account as `compare` has it, sums that merge in any order, files of every kind."""

import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits

from margin import InputError, Market, Portfolio, Position, compare
from margin.audit import formats
from margin.audit.chunk import Accounts, expected_shortfalls
from margin.audit.kernels import GROUPS, tail_mean
from margin.audit.make import synthetic, write
from margin.audit.parts import open_source
from margin.audit.plan import make_plan
from margin.audit.report import report
from margin.audit.scan import audit_accounts, audit_source
from margin.audit.shocks import Shock, read_shocks
from margin.audit.tables import plain_asset
from margin.cli.main import main
from margin.sample.load import load_sample

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def market():
    return Market(load_sample().closes)


@pytest.fixture(scope="module")
def plan(market):
    return make_plan(market)


@pytest.fixture(scope="module")
def book(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    write(plan, 4000, folder, seed=3, per_file=1500)
    return folder


def one(plan, usd, equity=1000.0):
    """An account of the given {asset: USD}."""
    legs = sorted(plan.assets.index(a) for a in usd)
    return Accounts(
        labels=np.array(["it"]),
        indptr=np.array([0, len(legs)]),
        legs=np.array(legs, dtype=np.int64),
        usd=np.array([float(usd[plan.assets[i]]) for i in legs]),
        equity=np.array([float(equity)]),
    )


def test_500_accounts_are_what_compare_says_of_them(plan, market):
    held = synthetic(plan, 3000, seed=11)
    wide = [a for a in range(3000) if held.indptr[a + 1] - held.indptr[a] >= 9][:40]
    chosen = [*range(460), *wide]
    es = expected_shortfalls(plan, held)[0]
    assert len(chosen) >= 490
    for a in chosen:
        inside = slice(held.indptr[a], held.indptr[a + 1])
        positions = [
            Position(f"{plan.assets[leg]}/USDT:USDT", usd / plan.prices[leg])
            for leg, usd in zip(held.legs[inside], held.usd[inside], strict=True)
        ]
        expected = compare(Portfolio(tuple(positions)), market).portfolio
        assert es[a] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scenarios", [40, 128, 500, 517])
def test_the_tail_is_that_of_a_full_sort_with_equal_losses_and_long_tails_too(scenarios):
    """Losses of every kind: smooth, whole numbers (many equal), all but a few equal, none at all, one far out."""
    rng, n = np.random.default_rng(scenarios), scenarios
    kinds = [rng.standard_t(3, n), rng.integers(-3, 4, n).astype(float), np.where(np.arange(n) % 50, 0.0, 1.0)]
    kinds += [np.zeros(n), np.concatenate([np.full(n - 1, -1.0), [1e9]]), np.arange(n, 0, -1.0), 1e-300 * rng.random(n)]
    room, spots = np.empty(2 * GROUPS + n), np.empty(2 * GROUPS + n, np.int64)
    for losses in kinds:
        for mass in (1.0, 2.5, 12.5, 15.0, 16.25, 30.5):
            whole = int(mass)
            kept, where = np.empty(whole + 1), np.empty(whole + 1, np.int64)
            found = tail_mean(losses, whole, mass, np.empty(GROUPS), kept, where, room, spots)
            ordered = np.sort(losses)
            np.testing.assert_array_equal(kept, ordered[n - whole - 1 :])
            np.testing.assert_array_equal(losses[where], kept)
            assert len(set(where.tolist())) == whole + 1
            expected = (ordered[n - whole :].sum() + (mass - whole) * ordered[n - whole - 1]) / mass
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_es_keeps_pace_with_bare_matrix_products(plan):
    """CPU seconds of one thread, least of five: at 2.6 legs at least 0.4 of the rate of a bare product (0.9 measured)."""
    held, tile = synthetic(plan, 20_000, seed=2), np.random.default_rng(1).normal(size=(500, len(plan.assets)))
    expected_shortfalls(plan, held)
    spent: dict[str, list[float]] = {"es": [], "product": []}
    with threadpool_limits(1):
        for _ in range(5):
            started = time.thread_time()
            expected_shortfalls(plan, held)
            spent["es"].append(time.thread_time() - started)
            started = time.thread_time()
            for _ in range(40):
                tile @ plan.losses
            spent["product"].append(time.thread_time() - started)
    assert min(spent["product"]) / min(spent["es"]) > 0.4 * len(plan.assets) / 30


def test_one_leg_is_its_dollars_times_the_assets_own_es(plan):
    long, short = (expected_shortfalls(plan, one(plan, {"BTC": usd}))[0][0] for usd in (1000.0, -1000.0))
    assert long == pytest.approx(1000 * plan.alone[0, plan.assets.index("BTC")])
    assert short == pytest.approx(1000 * plan.alone[1, plan.assets.index("BTC")])
    assert long != short


def test_shocks_are_reckoned_by_hand(market):
    """Long $10,000 of BTC with $1,500, BTC down 14%: $100 left, more than half of the moved margin or not."""
    shocks = [Shock(name="fall", moves={"BTC": -0.14}), Shock(name="crash", moves={"BTC": -0.2, "ETH": 0.5})]
    plan = make_plan(market, shocks=shocks, gap=0.01)
    rows, total = audit_accounts(plan, one(plan, {"BTC": 10_000.0}, 1500.0))
    es = 10_000 * plan.alone[0, plan.assets.index("BTC")]
    assert total.closed.tolist() == [int(0.5 * es * 0.86 > 100), 1]
    assert total.shortfall[1] == round((8000 * 0.01 + 500) * 100)
    assert total.forced[1][plan.assets.index("BTC")] == -800_000
    assert rows[0].worst_equity[0] == pytest.approx(-500)
    down = rows[0].closed_down[0]
    assert 1500 + 10_000 * down == pytest.approx(0.5 * es * (1 + down))


@pytest.mark.parametrize("model", ["portfolio", "isolated"])
def test_every_shock_is_the_account_re_measured_at_moved_prices(market, model):
    shocks = [
        Shock(name=str(i), moves=dict(zip(("BTC", "ETH", "SOL"), m, strict=True)))
        for i, m in enumerate(np.random.default_rng(2).uniform(-0.6, 0.6, (12, 3)))
    ]
    plan = make_plan(market, model, shocks=shocks)
    held = synthetic(plan, 2000, seed=5)
    _, total = audit_accounts(plan, held)
    closed = np.zeros(len(shocks), dtype=int)
    owner = np.repeat(np.arange(2000), np.diff(held.indptr))
    for j, moves in enumerate(plan.moves):
        moved = held.usd * (1.0 + moves[held.legs])
        left = held.equity + np.bincount(owner, held.usd * moves[held.legs], 2000)
        again = Accounts(labels=held.labels, indptr=held.indptr, legs=held.legs, usd=moved, equity=left)
        if model == "portfolio":
            needed = 0.5 * expected_shortfalls(plan, again)[0]
        else:
            side = np.where(moved >= 0, 0, 1)
            needed = 0.5 * np.bincount(owner, np.abs(moved) * plan.alone[side, held.legs], 2000)
        closed[j] = int(((left < needed) | (left < 0)).sum())
    assert total.closed.tolist() == closed.tolist()


def test_tiers_of_a_venue_are_read_as_the_highest_of_their_lines(market):
    rows = {"BTC": [(0.01, 0.0, 50.0), (0.02, 1000.0, 25.0)]}
    plan = make_plan(market, "some:cross", tiers=rows)
    found, _ = audit_accounts(plan, one(plan, {"BTC": -200_000.0}, 50_000.0))
    assert found[0].maintenance[0] == pytest.approx(200_000 * 0.02 - 1000)
    assert found[0].requirement[0] == pytest.approx(20_000)
    up = found[0].closed_up[0]
    assert 50_000 - 200_000 * up == pytest.approx(200_000 * (1 + up) * 0.02 - 1000)


def test_two_opposite_accounts_pool_to_nothing(plan):
    held = one(plan, {"BTC": 5000.0})
    other = one(plan, {"BTC": -5000.0})
    _, total = audit_accounts(plan, held)
    _, second = audit_accounts(plan, other)
    both = report(plan, total.merge(second), 1.0)
    assert both.es["pooled"] == 0
    assert both.es["sum"] > 0
    assert both.checks["nets_to_zero"]
    assert not report(plan, total, 1.0).checks["nets_to_zero"]


def test_a_fund_as_large_as_the_worst_scenario_covers_all(plan):
    _, total = audit_accounts(plan, synthetic(plan, 2000, seed=9))
    worst = max(total.short) / 100.0
    assert worst > 0
    enough, short = report(plan, total, 1.0, fund=worst), report(plan, total, 1.0, fund=worst - 0.01)
    assert enough.fund.covered == 1.0
    assert short.fund.covered < 1.0
    assert enough.fund.cover_one <= enough.fund.cover_two <= worst + 1e-9


def test_sums_merge_in_any_order_and_threads_change_nothing(plan, book):
    source = open_source(str(book))
    one_thread, two = audit_source(plan, source, workers=1), audit_source(plan, source, workers=2)
    assert one_thread.same_as(two)
    parts = [audit_accounts(plan, synthetic(plan, 300, seed=s))[1] for s in range(3)]
    a, b, c = parts
    assert a.merge(b).merge(c).same_as(a.merge(b.merge(c)))
    assert a.merge(b).same_as(b.merge(a))
    assert type(a).from_dict(a.to_dict()).same_as(a)


def test_made_books_net_to_zero_and_are_what_is_read_back(plan, book):
    total = audit_source(plan, open_source(str(book)))
    assert total.accounts == 4000
    found = report(plan, total, 1.0)
    assert found.checks["nets_to_zero"]
    assert not found.notes
    assert not total.set_aside
    direct = [
        audit_accounts(plan, synthetic(plan, n, 3, first))[1] for n, first in ((1500, 0), (1500, 1500), (1000, 3000))
    ]
    assert sum(part.gross for part in direct) == pytest.approx(total.gross, abs=len(direct) * total.positions)


def read(folder, name):
    return pd.concat([pd.read_parquet(p) for p in sorted(folder.glob(f"{name}-*.parquet"))], ignore_index=True)


def test_shuffled_split_and_repeated_rows_change_nothing(plan, book, tmp_path):
    """Rows in any order over any files, each position in two halves: the same sums to the cent of every account."""
    whole = audit_source(plan, open_source(str(book)))
    rows = read(book, "positions")
    rows["quantity"] /= 2
    rows = pd.concat([rows, rows]).sample(frac=1.0, random_state=4)
    for i, part in enumerate(np.array_split(np.arange(len(rows)), 3)):
        rows.iloc[part].to_parquet(tmp_path / f"positions-{i:03d}.parquet", index=False)
    read(book, "accounts").sample(frac=1.0, random_state=1).to_parquet(tmp_path / "accounts.parquet", index=False)
    source = open_source(str(tmp_path / "positions-*.parquet"), str(tmp_path / "accounts.parquet"))
    again = audit_source(plan, source)
    source.close()
    assert again.accounts == whole.accounts
    assert again.positions == whole.positions
    assert again.bands.tolist() == whole.bands.tolist()
    assert again.closed.tolist() == whole.closed.tolist()
    assert abs(again.gross - whole.gross) <= whole.positions


def test_what_cannot_be_used_is_set_aside_and_counted(plan, tmp_path):
    rows = pd.DataFrame(
        {
            "account": ["a", "a", "b", "c", None, "d", "e"],
            "asset": ["BTC", "NEWCOIN", "ETH", "BTC", "BTC", "BTC", "BTC"],
            "quantity": [1.0, 5.0, np.nan, 2.0, 1.0, 1e300, -1.0],
        }
    )
    money = pd.DataFrame({"account": ["a", "b", "d", "e", "f"], "equity": [1e5, 10.0, 5.0, np.nan, 0.0]})
    rows.to_parquet(tmp_path / "positions.parquet")
    money.to_parquet(tmp_path / "accounts.parquet")
    total = audit_source(plan, open_source(str(tmp_path / "positions.parquet"), str(tmp_path / "accounts.parquet")))
    assert total.accounts == 4
    assert total.positions == 1
    assert total.empty == 3
    assert total.unknown == {"NEWCOIN": 1}
    assert sum(total.set_aside.values()) == 6
    notes = " ".join(report(plan, total, 1.0).notes)
    assert "NEWCOIN" in notes
    assert "set aside" in notes


def test_options_and_coin_settled_contracts_are_set_aside_by_name_never_taken_for_coins(plan, tmp_path):
    names = [
        "BTC",
        "BTC/USD:BTC-261225-60000-C",
        "ETH-26DEC25-4000-P",
        "ETH/USD:ETH",
        "BTC-PERP",
        "BTC/USDT:USDT-261225",
    ]
    pd.DataFrame(
        {"account": ["a"] * 6, "asset": names, "quantity": [1.0, 5, 5, 1000, 1, 1], "equity": [1e6] * 6}
    ).to_parquet(tmp_path / "positions.parquet")
    total = audit_source(plan, open_source(str(tmp_path / "positions.parquet")))
    assert dict(total.set_aside) == {
        "an option, not reproduced here": 2,
        "a coin-settled contract, not reproduced here": 1,
    }
    assert total.positions == 1 and not total.unknown
    assert int(total.long[plan.assets.index("BTC")]) == pytest.approx(
        300 * plan.prices[plan.assets.index("BTC")], abs=2
    )


def test_isolated_positions_are_accounts_of_their_own(plan, tmp_path):
    rows = pd.DataFrame(
        {
            "user": ["x", "x", "y"],
            "market": ["BTC", "ETH", "xyz:GOLD"],
            "size": [0.1, -1.0, 3.0],
            "account_value": [5000.0, 5000.0, 10.0],
            "leverage_type": ["cross", "isolated", "cross"],
            "margin_used": [700.0, 250.0, 1.0],
        }
    )
    rows.to_parquet(tmp_path / "p.parquet")
    source = open_source(str(tmp_path / "p.parquet"))
    assert source.adapter.name == "reservoir"
    total = audit_source(plan, source, rows_to=tmp_path / "out.parquet")
    out = pd.read_parquet(tmp_path / "out.parquet").set_index("account")
    assert out.loc["x/ETH", "equity"] == 250
    assert out.loc["x", "legs"] == 1
    assert total.unknown == {"xyz:GOLD": 1}


def test_dydx_rows_have_sides_and_two_columns_for_an_account(plan, tmp_path):
    pd.DataFrame(
        {
            "address": ["dydx1a", "dydx1a", "dydx1a"],
            "subaccountNumber": [0, 0, 1],
            "market": ["BTC-USD", "ETH-USD", "BTC-USD"],
            "side": ["LONG", "SHORT", "LONG"],
            "size": [1.0, -2.0, 1.0],
            "status": ["OPEN", "OPEN", "CLOSED"],
            "equity": [1000.0, 1000.0, 5.0],
        }
    ).to_csv(tmp_path / "p.csv", index=False)
    source = open_source(str(tmp_path / "p.csv"))
    total = audit_source(plan, source)
    source.close()
    assert source.adapter.name == "dydx"
    assert total.positions == 2
    assert total.long[plan.assets.index("BTC")] == round(plan.prices[plan.assets.index("BTC")] * 100)
    assert total.short_side[plan.assets.index("ETH")] > 0


def test_a_stopped_audit_goes_on_where_it_was(plan, book, tmp_path):
    stop, seen = threading.Event(), []

    def progress(now):
        seen.append(now.parts)
        stop.set()

    with pytest.raises(InputError, match="go on"):
        audit_source(plan, open_source(str(book)), 1, tmp_path / "o.parquet", progress, stop)
    assert 0 < max(seen) < 3
    total = audit_source(plan, open_source(str(book)), 1, tmp_path / "o.parquet")
    assert total.same_as(audit_source(plan, open_source(str(book))))
    out = pd.read_parquet(tmp_path / "o.parquet")
    assert len(out) == 4000
    assert not list(tmp_path.glob("*.parts"))


def test_a_killed_process_leaves_whole_parts_and_the_next_one_goes_on_bit_for_bit(market, plan, tmp_path):
    """The command killed with no chance to tidy up, in the middle of a part: nothing lost, nothing twice."""
    folder, out, parts = tmp_path / "book", tmp_path / "o.parquet", tmp_path / "o.parquet.parts"
    write(plan, 160_000, folder, seed=4, per_file=8_000)
    whole = audit_source(plan, open_source(str(folder)), 2, tmp_path / "whole.parquet")
    command = [sys.executable, "-m", "margin", "audit", "--positions", str(folder), "--out", str(out)]
    with subprocess.Popen([*command, "--shocks", "uniform", "--threads", "1"], cwd=ROOT) as child:
        until = time.monotonic() + 60.0
        while not list(parts.glob("*.json")) and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        child.kill()
    kept = len(list(parts.glob("*.json")))
    assert 0 < kept < 20 and not out.exists()
    (parts / "00019.parquet.partial").write_bytes(b"cut off in the middle")
    seen = []
    again = audit_source(plan, open_source(str(folder)), 1, out, lambda now: seen.append(now.parts))
    assert seen[0] == kept + 1 and len(seen) == 20 - kept  # what was done is not done again
    assert again.same_as(whole) and again.accounts == 160_000
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole.parquet"))
    assert not parts.exists()


def test_a_stopped_audit_is_not_gone_on_with_under_another_question(market, book, tmp_path):
    """Another gap, other prices, another model or changed files: every part is done anew."""
    plain = make_plan(market)
    for other in (
        make_plan(market, gap=0.1),
        make_plan(market, "isolated"),
        make_plan(Market(load_sample().closes * 1.5)),
    ):
        stop = threading.Event()
        with pytest.raises(InputError, match="go on"):
            audit_source(plain, open_source(str(book)), 1, tmp_path / "o.parquet", lambda now, s=stop: s.set(), stop)
        found = audit_source(other, open_source(str(book)), 1, tmp_path / "o.parquet")
        assert found.same_as(audit_source(other, open_source(str(book))))
        assert pd.read_parquet(tmp_path / "o.parquet")["es"].sum() == pytest.approx(found.es / 100, abs=50)
    assert plain.digest() == make_plan(market).digest()


def test_a_book_without_accounts_gives_a_table_without_rows(plan, tmp_path):
    one = pd.DataFrame({"account": ["a"], "asset": ["BTC"], "quantity": [1.0], "equity": [5.0]})
    one.iloc[:0].to_parquet(tmp_path / "p.parquet")
    total = audit_source(plan, open_source(str(tmp_path / "p.parquet")), rows_to=tmp_path / "o.parquet")
    out = pd.read_parquet(tmp_path / "o.parquet")
    assert total.accounts == len(out) == 0
    assert {"account", "equity", "es"} <= set(out)


def test_damaged_and_foreign_files_are_named(plan, book, tmp_path):
    good = next(book.glob("positions-000.parquet"))
    broken = tmp_path / "positions-000.parquet"
    broken.write_bytes(good.read_bytes()[:-50])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        open_source(str(broken))
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "foreign.parquet")
    with pytest.raises(InputError, match="no form known"):
        open_source(str(tmp_path / "foreign.parquet"))
    with pytest.raises(InputError, match="names no Parquet"):
        open_source(str(tmp_path / "nothing-*.parquet"))
    pq.write_table(pa.table({"account": [1], "asset": ["BTC"], "quantity": ["one"]}), tmp_path / "text.parquet")
    pq.write_table(pa.table({"account": [1], "equity": [1.0]}), tmp_path / "money.parquet")
    with pytest.raises(InputError, match="quantity"):
        audit_source(plan, open_source(str(tmp_path / "text.parquet"), str(tmp_path / "money.parquet")))


def test_every_format_names_what_it_needs():
    for adapter in formats.adapters():
        assert formats.recognise(list(adapter.required), "x").required <= adapter.required
        assert formats.adapter(adapter.name) is adapter
    with pytest.raises(InputError, match="Did you mean"):
        formats.adapter("reservior")


@pytest.mark.parametrize(
    ("name", "asset"),
    [("BTC", "BTC"), ("BTC-USD", "BTC"), ("BTC/USDC:USDC", "BTC"), ("xyz:GOLD", "xyz:GOLD"), ("btc", "BTC")],
)
def test_the_coin_behind_a_markets_name(name, asset):
    assert plain_asset(name) == asset


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "list of shocks"),
        ([{"name": "x"}], "moves"),
        ([{"moves": {"BTC": -2}}], "-1 to 100"),
        ([{"moves": {"BTX": 0}}], "no prices"),
    ],
)
def test_bad_shocks_are_named(plan, data, says):
    with pytest.raises(InputError, match=says):
        read_shocks(data, plan.assets)


@pytest.mark.parametrize("wrong", [{"gap": 1.0}, {"gap": -0.01}, {"share": 0.0}, {"share": 1.01}])
def test_a_share_or_gap_out_of_reach_is_refused(market, wrong):
    with pytest.raises(InputError, match="above 0 and at most 1, and the gap from 0 to below 1"):
        make_plan(market, **wrong)


def test_who_watches_sees_rate_and_time_left(tmp_path, capsys, monkeypatch):
    """Writing a venue and auditing it; into a pipe nothing of it is written."""
    folder = tmp_path / "book"
    monkeypatch.setattr("margin.audit.make.write", partial(write, per_file=400))
    commands = (["audit", "--make", "1000", "--out", str(folder)], ["audit", "--positions", str(folder)])
    for watched in (True, False):
        monkeypatch.setattr("sys.stderr.isatty", lambda w=watched: w)
        for command in commands if watched else commands[1:]:
            assert main([*command, "--shocks", "uniform"]) == 0
            said = capsys.readouterr().err
            seen = [line for line in said.replace("\n", "\r").split("\r") if "parts" in line]
            assert len(seen) == (3 if watched else 0)
            if watched:
                assert seen[0].startswith("1/3 parts, 400 accounts") and " a second, " in seen[0]
                assert seen[2].startswith("3/3 parts, 1,000 accounts") and seen[2].rstrip().endswith(" 0 s left")
