"""Loans without recourse: min(debt, collateral), by hand and beside an iteration that knows nothing of extra nodes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError
from margin.cli.main import main
from margin.protocols.network import clear_network, read_network

ETH = {"ETH": 100}
LOAN = {"from": "b", "to": "l", "usd": 600, "collateral": {"ETH": 10}}
ALONE = {"nodes": [{"id": "b", "cash": 500}, {"id": "l"}], "loans": [LOAN], "prices": ETH}


def test_the_lender_gets_the_collateral_and_the_borrower_keeps_the_rest():
    """10 ETH of 100 behind 600: at -50% they are worth 500. With recourse the missing 100 come out of the cash."""
    calm, fallen = (clear_network(read_network(ALONE), moves) for moves in ({}, {"ETH": -0.5}))
    np.testing.assert_allclose(calm.after.equity, [900, 600])
    np.testing.assert_allclose(fallen.after.equity, [500, 500])
    np.testing.assert_allclose(fallen.after.paid, [500, 0])
    assert not fallen.after.defaults.any() and not fallen.new_defaults
    assert (fallen.loans[0].owed, fallen.loans[0].paid, fallen.loans[0].collateral) == (600, 500, 500)
    nodes = [{"id": "b", "cash": 500, "assets": {"ETH": 10}}, {"id": "l"}]
    bound = {"nodes": nodes, "debts": [{"from": "b", "to": "l", "usd": 600}], "prices": ETH}
    np.testing.assert_allclose(clear_network(read_network(bound), {"ETH": -0.5}).after.equity, [400, 600])


def test_collateral_is_for_its_lender_first_and_what_is_over_for_the_others():
    """b owes 700 elsewhere and has 300: the others get the 300 and what the loan leaves of its collateral."""
    nodes = [{"id": "b", "cash": 300}, {"id": "l"}, {"id": "o"}]
    found = clear_network(
        read_network({**ALONE, "nodes": nodes, "debts": [{"from": "b", "to": "o", "usd": 800}]}), {"ETH": -0.2}
    )
    np.testing.assert_allclose(found.after.equity, [0, 600, 500])
    assert found.after.defaults.tolist() == [True, False, False]


def test_a_loss_runs_through_pledged_claims():
    """s pays 40% of what it owes a, a pledged that to b for 80, b pledged the same kind of claim on to c for 30."""
    network = read_network(
        {
            "nodes": [{"id": "s", "cash": 60}, {"id": "a"}, {"id": "b"}, {"id": "c"}],
            "debts": [{"from": "s", "to": "a", "usd": 100}, {"from": "s", "to": "b", "usd": 50}],
            "loans": [
                {"from": "a", "to": "b", "usd": 80, "collateral": {"s": 100}},
                {"from": "b", "to": "c", "usd": 30, "collateral": {"s": 50}},
            ],
        }
    )
    found = clear_network(network).after
    np.testing.assert_allclose(found.equity, [0, 0, 40, 20])  # b gets 40 for its 80 and 20 from s, which c gets


@st.composite
def books(draw):
    n = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ids = [f"n{i}" for i in range(n)]
    nodes = [{"id": name, "cash": float(rng.uniform(0, 8)), "external_debt": float(rng.uniform(0, 3))} for name in ids]
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    debts = [{"from": ids[i], "to": ids[j], "usd": float(rng.uniform(0, 9))} for i, j in pairs if rng.random() < 0.6]
    loans = []
    for debt in debts:  # half of some claims are pledged to anybody else
        if rng.random() < 0.6:
            to = next((name for name in rng.permutation(ids) if name not in (debt["to"], debt["from"])), None)
            if to is not None:
                pledge = {debt["from"]: debt["usd"] / 2, "ETH": float(rng.uniform(0, 0.04))}
                loans.append({"from": debt["to"], "to": str(to), "usd": float(rng.uniform(0, 6)), "collateral": pledge})
    return {"nodes": nodes, "debts": debts, "loans": loans, "prices": ETH}


@settings(max_examples=40, deadline=None)
@given(books())
def test_it_is_min_of_debt_and_collateral_by_plain_iteration(book):
    network = read_network(book)
    ids, n = network.ids, len(network.ids)
    debts = np.zeros((n, n))
    for row in book["debts"]:
        debts[ids.index(row["from"]), ids.index(row["to"])] += row["usd"]
    owed = debts.sum(axis=1)
    share = np.divide(debts, owed[:, None], out=np.zeros_like(debts), where=owed[:, None] > 0)
    pay = owed.copy()
    for _ in range(20_000):
        recovery = np.divide(pay, owed, out=np.ones(n), where=owed > 0)
        assets = network.cash + share.T @ pay
        for row in book["loans"]:
            worth = sum(
                v * (100.0 if name == "ETH" else recovery[ids.index(name)]) for name, v in row["collateral"].items()
            )
            claim = min(row["usd"], worth)
            assets[ids.index(row["from"])] += 100.0 * row["collateral"]["ETH"] - claim
            assets[ids.index(row["to"])] += claim
        after = np.clip(assets - network.external, 0.0, owed)
        if np.abs(after - pay).max() < 1e-13:
            break
        pay = after
    found = clear_network(network).after
    np.testing.assert_allclose(found.equity, np.maximum(assets - network.external - owed, 0.0), atol=1e-7)
    # Every dollar: what came in from outside is equity or went to creditors outside.
    total = network.outside().sum()
    assert total == pytest.approx(found.equity.sum() + found.external.sum(), abs=1e-7)


@pytest.mark.parametrize(
    ("loan", "says"),
    [
        ({**LOAN, "collateral": {}}, "must name what is pledged"),
        ({**LOAN, "collateral": 5}, "must name what is pledged"),
        ({**LOAN, "collateral": {"l": 5}}, "is more than it is owed"),
        ({**LOAN, "collateral": {"ETH": -1}}, "must be a number"),
        ({**LOAN, "to": "x"}, "is not a node"),
        ({**LOAN, "to": "b"}, "names one node twice"),
        ({**LOAN, "usd": None}, "must be a number"),
        ({**LOAN, "rate": 1}, "rate"),
    ],
)
def test_what_cannot_be_lent_is_named(loan, says):
    with pytest.raises(InputError, match=says):
        read_network({**ALONE, "loans": [loan]})


def test_the_command_shows_what_each_loan_pays(tmp_path, capsys):
    (tmp_path / "N.json").write_text(json.dumps(ALONE))
    command = ["protocols", "network", "--network", str(tmp_path / "N.json"), "--shock", "ETH=-50%"]
    assert main(command) == 0
    assert "500.00" in capsys.readouterr().out.splitlines()[-1]
    assert main([*command, "--json"]) == 0
    loan = json.loads(capsys.readouterr().out)["loans"][0]
    assert loan == {"borrower": "b", "lender": "l", "owed": 600, "paid": 500, "collateral": 500}
