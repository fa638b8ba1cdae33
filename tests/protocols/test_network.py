"""Networks from files: what is read, what is refused, and events as published."""

import json
from datetime import date

import numpy as np
import pytest

from margin import InputError
from margin.protocols.branching import linear_impact
from margin.protocols.debtrank import spectral_radius
from margin.protocols.events import event, events
from margin.protocols.network import (
    cascade_network,
    clear_network,
    rank_network,
    read_network,
    sell_network,
    stylised,
)

VAULT = {
    "nodes": [
        {"id": "vault", "kind": "vault", "assets": {"ETH": 10}, "external_debt": 5000},
        {"id": "lender", "cash": 2000},
        {"id": "fund", "assets": {"ETH": 1}},
    ],
    "debts": [{"from": "vault", "to": "lender", "usd": 12000}],
    "shares": [{"holder": "fund", "issuer": "vault", "share": 0.5}],
    "prices": {"ETH": 3000},
}


def test_a_fall_is_paid_by_equity_first_then_by_who_lent():
    calm = clear_network(read_network(VAULT))
    np.testing.assert_allclose(calm.before.equity, [13000, 14000, 3000 + 0.5 * 13000])
    fallen = clear_network(read_network(json.dumps(VAULT)), {"ETH": -0.5})
    # vault: 15,000 in ETH, 5,000 to outside first, 10,000 of 12,000 to the lender
    np.testing.assert_allclose(fallen.after.paid, [10000, 0, 0])
    np.testing.assert_allclose(fallen.after.equity, [0, 12000, 1500])
    assert fallen.new_defaults == ("vault",)
    np.testing.assert_allclose(fallen.losses, [13000, 2000, 8000])


def test_circles_of_shares_are_worth_what_is_outside_them():
    network = read_network(
        {
            "nodes": [{"id": "a", "cash": 100}, {"id": "b", "cash": 50}],
            "shares": [{"holder": "a", "issuer": "b", "share": 0.5}, {"holder": "b", "issuer": "a", "share": 0.2}],
        }
    )
    worth = clear_network(network).before.equity
    np.testing.assert_allclose(worth, np.linalg.solve([[1, -0.5], [-0.2, 1]], [100, 50]), rtol=1e-9)


def test_stream_creditors_recover_what_was_published():
    """With 138 million of assets every creditor of equal rank gets 48.4%; with 63 million 22.1%."""
    network = event("stream-2025").network
    assert network is not None
    found = clear_network(network).before
    assert found.recovery[0] == pytest.approx(0.484, abs=0.001)
    np.testing.assert_allclose(
        found.received[1:] - network.debts[0, 1:], [-63.8e6, -35.1e6, -13.1e6, -35.1e6], atol=0.1e6
    )
    smaller = json.loads(
        json.dumps(
            {"nodes": [{"id": "s", "cash": 63e6}, {"id": "c"}], "debts": [{"from": "s", "to": "c", "usd": 285e6}]}
        )
    )
    assert clear_network(read_network(smaller)).before.recovery[0] == pytest.approx(0.221, abs=0.001)


def test_every_event_has_a_source_and_a_range_for_each_figure():
    assert len(events()) >= 7
    assert [found.date for found in events()] == sorted(found.date for found in events())
    for found in events():
        assert found.lesson and 2025 <= date.fromisoformat(found.date).year <= 2026
        assert found.figures
        for figure in found.figures:
            assert figure.source
            assert 0 < figure.low <= figure.high and figure.unit and figure.amount
    drift = {figure.name: figure for figure in event("drift-2026").figures}
    assert drift["insurance fund"].low / drift["loss"].high == pytest.approx(0.07, abs=0.003)
    with pytest.raises(InputError, match="Did you mean"):
        event("drift-2025")


def test_debtrank_and_fire_sales_of_a_network():
    network = read_network(
        {
            "nodes": [
                {"id": "a", "assets": {"ETH": 10}, "equity": 10000},
                {"id": "b", "assets": {"ETH": 5}, "equity": 5000},
            ],
            "debts": [{"from": "a", "to": "b", "usd": 2000}],
            "prices": {"ETH": 1000},
        }
    )
    found = rank_network(network, {"ETH": -0.1})
    assert found.first.tolist() == [0.1, 0.1]
    assert found.distress[1] == pytest.approx(0.1 + 2000 / 5000 * 0.1)
    sold = sell_network(network, {"ETH": -0.1}, {"ETH": 1e-7})
    assert sold.sales[0] == pytest.approx(10000 * (2000 / 8000) * 0.1)


def test_a_table_of_edges_is_read_as_claims():
    network = read_network("source,target,value\nAave,Lido,100\nAave,Lido,50\nMaker,Aave,30\n")
    assert network.debts[network.ids.index("Lido"), network.ids.index("Aave")] == 150
    assert network.debts[network.ids.index("Aave"), network.ids.index("Maker")] == 30


def test_each_node_holds_outside_what_it_owes_beyond_its_claims_and_its_cushion():
    network = read_network("source,target,value\nAave,Lido,100\nMaker,Aave,30\n")
    held = dict(zip(network.ids, network.outside(), strict=True))
    assert held == pytest.approx({"Lido": 110.0, "Aave": 0.1 * 30, "Maker": 0.0})


WEEKS = """date,source_protocol,target_protocol,weight
2025-06-23,Aave,Lido,999
2025-06-30,Aave,Lido,100
2025-06-30,Aave,Lido,50
2025-06-30,Maker,Aave,30
2025-06-30,Lido,Lido,7
"""


def test_a_weekly_table_is_one_snapshot_whose_nodes_can_just_pay():
    """Lido owes Aave 150 and holds nothing else: 165 outside is assumed. Half of it gone, Aave is short of 67.5."""
    network = read_network(WEEKS)
    lido, aave = network.ids.index("Lido"), network.ids.index("Aave")
    assert network.debts[lido, aave] == 150
    assert network.outside()[lido] == pytest.approx(165)
    assert any("2025-06-30, of 2" in note for note in network.notes)
    assert any("1 claims of nodes on themselves" in note for note in network.notes)
    calm = clear_network(network)
    assert not calm.before.defaults.any()
    hit = clear_network(network, {"Lido": -0.5})
    assert hit.after.paid[lido] == pytest.approx(82.5)
    assert hit.losses[aave] == pytest.approx(67.5)
    earlier = read_network(WEEKS, "2025-06-23")
    assert earlier.debts[earlier.ids.index("Lido"), earlier.ids.index("Aave")] == 999
    with pytest.raises(InputError, match="leaves no claim"):
        read_network(WEEKS, "2019")


def test_the_largest_2_000_of_a_large_table_are_kept_and_the_rest_said():
    rows = [f"p{i},hub,{1000 - i % 1000}" for i in range(2500)]
    network = read_network("source,target,usd\n" + "\n".join(rows))
    assert len(network.ids) == 2000 and "hub" in network.ids
    claims = sorted((1000 - i % 1000 for i in range(2500)), reverse=True)
    share = (sum(claims) + sum(claims[:1999])) / (2 * sum(claims))
    assert f"The 2,000 largest of 2,501 nodes are kept: {share:.1%} of all claims." in network.notes
    assert rank_network(network, {"hub": -1.0}).radius < 1e-6  # claims run one way: nothing comes back


def test_the_radius_of_a_large_matrix_is_that_of_all_its_eigenvalues():
    rng = np.random.default_rng(1)
    matrix = rng.random((400, 400)) * (rng.random((400, 400)) < 0.05)
    assert spectral_radius(matrix) == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), rel=1e-9)
    assert spectral_radius(np.zeros((400, 400))) == 0.0


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "neither JSON nor a table"),
        ("{", "not valid JSON"),
        ("[]", "must be an object"),
        ({"nodes": []}, "1 to 2,000 nodes"),
        ({"nodes": [{"id": "a"}, {"id": "a"}]}, "two nodes"),
        ({"nodes": [{"id": "a", "colour": 1}]}, "unknown key"),
        ({"nodes": [{"id": "a"}], "debts": [{"from": "a", "to": "b", "usd": 1}]}, "not a node"),
        ({"nodes": [{"id": "a"}], "debts": [{"from": "a", "to": "a", "usd": 1}]}, "one node twice"),
        ({"nodes": [{"id": "a", "cash": float("nan")}]}, "0 to 1e18"),
        ({"nodes": [{"id": "a", "cash": "10"}]}, "0 to 1e18"),
        ("source,target,value\na,b,ten\n", "not a number"),
        ("source,target,value\na,,10\n", "lacks a name"),
        ("source,target,value\na,b,nan\n", "finite USD"),
        ("source,target,value\na,b,-1\n", "finite USD"),
        ("source,target,value\n", "leaves no claim"),
    ],
)
def test_what_cannot_be_read_is_named(source, says):
    with pytest.raises(InputError, match=says):
        read_network(source)


def test_an_asset_without_a_price_or_holder_is_named():
    network = read_network({"nodes": [{"id": "a", "assets": {"ETH": 1}}]})
    with pytest.raises(InputError, match="ETH"):
        clear_network(network)
    with pytest.raises(InputError, match="held by no node"):
        clear_network(read_network(VAULT), {"BTC": -0.1})


DEXPOSURE = {
    "data": {
        "2025-06-23": {"nodes": [{"id": "182", "size": 1.0, "composition": {}}], "links": []},
        "2025-06-30": {
            "nodes": [
                {"id": "1599", "size": 300.0, "composition": {"ETH": 120.0, "STETH": 180.0}},
                {"id": "182", "size": 200.0, "composition": {"ETH": 200.0}},
                {"id": "2269", "size": 90.0, "composition": {"AWETH": 90.0, "BTC": -5.0}},
                {"id": None, "size": 1.0, "composition": {}},
            ],
            "links": [
                {"source": "1599", "target": "182", "size": 180.0, "composition": {"STETH": 180.0}},
                {"source": "2269", "target": "1599", "size": 90.0, "composition": {"AWETH": 90.0}},
                {"source": "2269", "target": None, "size": 7.0, "composition": {"BTC": 7.0}},
                {"source": "1599", "target": "1599", "size": 3.0, "composition": {}},
                {"source": "1599", "target": "404", "size": 3.0, "composition": {}},
            ],
        },
    }
}
META = "id,name,category\n182,Lido,Liquid Staking\n1599,AAVE V3,Lending\n2269,Binance CEX,CEX\n"


def test_dexposures_own_json_is_read_with_its_names_and_tokens():
    """Lido holds 200 of ETH and owes AAVE 180: half of ETH gone it pays 100, and AAVE, left with 60 + 100, still pays."""
    network = read_network(json.dumps(DEXPOSURE), names=META)
    lido, aave, binance = (network.ids.index(n) for n in ("Lido", "AAVE V3", "Binance CEX"))
    assert (network.debts[lido, aave], network.debts[aave, binance]) == (180, 90)
    assert network.kinds[lido] == "Liquid Staking"
    np.testing.assert_allclose(network.outside()[[lido, aave, binance]], [200, 120, 0])
    hit = clear_network(network, {"ETH": -0.5})
    assert hit.after.paid[lido] == pytest.approx(100)
    assert hit.after.paid[aave] == pytest.approx(90)
    assert hit.losses[aave] == pytest.approx(60 + 80)
    said = " ".join(network.notes)
    assert "2025-06-30, of 2" in said and "3 links are left out" in said
    assert read_network(json.dumps(DEXPOSURE["data"])).ids != network.ids  # without names: the ids
    assert "182" in read_network(DEXPOSURE, "2025-06-30").ids
    with pytest.raises(InputError, match="not among the snapshots"):
        read_network(DEXPOSURE, "2024")
    with pytest.raises(InputError, match="columns id and name"):
        read_network(DEXPOSURE, names="a,b\n1,2\n")


def test_dexposures_table_has_its_published_columns_and_reads_as_the_json_does():
    table = (
        "time,source,target,size\n2025-06-23,a,b,1\n2025-06-30,AAVE V3,Lido,180\n2025-06-30,Binance CEX,AAVE V3,90\n"
    )
    network = read_network(table)
    assert network.debts[network.ids.index("Lido"), network.ids.index("AAVE V3")] == 180


def test_what_others_hold_and_tokens_do_not_cover_is_topped_up_and_said():
    week = {"nodes": [{"id": "a", "size": 10.0, "composition": {"ETH": 10.0}}, {"id": "b", "size": 5, "composition": {}}],
            "links": [{"source": "b", "target": "a", "size": 50.0, "composition": {}}]}  # fmt: skip
    network = read_network({"2025-01-06": week})
    a = network.ids.index("a")
    assert network.outside()[a] == pytest.approx(1.1 * 50)
    assert any("1 protocols whose tokens do not cover" in note for note in network.notes)
    assert rank_network(network, {"a": -0.05}).distress.max() > 0


def test_a_cascade_of_nodes_stops_where_the_hand_says():
    """Equity 20 of 100 held: sells at -20%. A shock of 20% with 0.1% a dollar: 100 sold, 10% more, and nobody else."""
    network = read_network(
        {
            "nodes": [
                {"id": "thin", "assets": {"ETH": 100}, "external_debt": 80},
                {"id": "thick", "assets": {"ETH": 100}, "external_debt": 60},
                {"id": "free", "assets": {"ETH": 1000}},
            ],
            "prices": {"ETH": 1},
        }
    )
    found = cascade_network(network, {"ETH": -0.2}, linear_impact(1e-3))
    np.testing.assert_allclose(found.falls, [0.2, 0.4, np.inf])
    assert found.end.total == pytest.approx(0.3, abs=1e-6)
    assert found.end.closed == pytest.approx(100)
    both = cascade_network(network, {"ETH": -0.2}, linear_impact(3e-3))
    assert both.end.total == pytest.approx(0.8, abs=1e-6)
    assert cascade_network(network, {"ETH": -0.1}, linear_impact(3e-3)).end.total == pytest.approx(0.1)
    with pytest.raises(InputError, match="must have a fall"):
        cascade_network(network, {"ETH": 0.1}, linear_impact(1e-3))
    calm = cascade_network(stylised(), {"ETH": -0.1, "BTC": -0.1}, linear_impact(0.0))
    assert calm.end.total == pytest.approx(0.1)
