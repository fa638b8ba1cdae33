"""Tables show figures as sentences do and sort them by size; one minus sign, no cents above $1,000, no raw figure."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.blocks import tables
from ui.blocks.formats import away, listed, money, moved, number, percent, price, signed_money, times, true_minus


@pytest.fixture
def drawn(monkeypatch):
    """What `data_table` hands to Streamlit: (sizes that are sorted by, texts that are shown)."""
    kept = {}
    monkeypatch.setattr(tables.st, "dataframe", lambda data, **more: kept.update(data=data, **more))

    def draw(frame, **more):
        tables.data_table(frame, "key", "alt", **more)
        data = kept["data"]
        if isinstance(data, pd.DataFrame):
            return data, data
        texts = pd.DataFrame(
            [
                [cell["display_value"] for cell in row if cell["type"] == "td"]
                for row in data._translate(True, True)["body"]
            ],
            columns=data.data.columns,
        )
        return data.data, texts

    return draw


def test_written_figures_sort_by_size_and_keep_their_text(drawn):
    frame = pd.DataFrame(
        {"Lost": ["$9", "$1,200", "-$30,000", "–"], "Hit": ["12,510 (63%)", "9 (1%)", "100 (2%)", "1 (0%)"]}
    )
    sizes, texts = drawn(frame)
    assert sizes["Lost"].sort_values().tolist()[:3] == [-30_000.0, 9.0, 1200.0]
    assert sizes["Hit"].tolist() == [12_510, 9, 100, 1]
    assert texts["Lost"].tolist() == ["$9", "$1,200", "−$30,000", "–"]
    assert texts["Hit"].tolist() == frame["Hit"].tolist()


def test_what_is_no_figure_stays_text(drawn):
    frame = pd.DataFrame({"Day": ["2026-08-31", "2026-09-01"], "Book": ["60/40 with BTC", "BTC-PERPETUAL"]})
    sizes, _ = drawn(frame)
    assert sizes.equals(frame)


def test_figures_of_different_kinds_in_one_column_stay_text(drawn):
    frame = pd.DataFrame({"First": ["$9", "12.5×", "–"], "Second": ["5%", "ETH $2,100 (−3%)", "1%"]})
    sizes, _ = drawn(frame)
    assert sizes.equals(frame)


def test_numbers_are_never_raw_and_none_is_a_dash(drawn):
    frame = pd.DataFrame(
        {"Usd": [30_744.4612, None, -842.4], "Any": [0.8202754, 20462.1864, None], "Count": [1_000, 2, 3]}
    )
    _, texts = drawn(frame, formats={"Usd": money})
    assert texts["Usd"].tolist() == ["$30,744", "–", "−$842"]
    assert texts["Any"].tolist() == ["0.8203", "20,462", "–"]
    assert texts["Count"].tolist() == ["1,000", "2", "3"]


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e12, 1e12))
def test_every_format_has_one_minus_no_zero_with_a_sign_and_no_cents_above_a_thousand(x):
    for text in (money(x), money(x, cents=True), price(x), number(x), percent(x), moved(x / 1e9), signed_money(x)):
        assert "-" not in text
        assert not text.startswith("−") or any(d in text for d in "123456789"), text
    if abs(x) >= 1000:
        assert "." not in money(x, cents=True) and "." not in price(x)


@pytest.mark.parametrize(
    ("move", "text"),
    [
        (-0.1419, "−14.2%"),
        (-0.00006, "−0.01%"),
        (0.000006, "+0.001%"),
        (-1e-9, "less than −0.0001%"),
        (0.0, "0.0%"),
        (2.5, "+250.0%"),
        (99.0, "×100"),
        (113_706.6, "×114k"),
        (9e8, "×900M"),
    ],
)
def test_a_liquidation_that_is_near_is_not_said_to_be_no_move_away(move, text):
    assert away(move) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("equity -5 of -$3, [-0.2, -.5]", "equity −5 of −$3, [−0.2, −.5]"),
        ("2026-08-31, BTC-25JUN27-100000-C, 5-10%, x-1, USD:USD-261225, 1e-05", None),
        ("python -m data watch --odds 10%", None),
    ],
)
def test_only_a_hyphen_that_means_minus_becomes_one(text, shown):
    assert true_minus(text) == (shown or text)


@pytest.mark.parametrize(
    ("x", "text"), [(78_548.6, "$78,549"), (431.5, "$431.50"), (0.034512, "$0.03451"), (2e-6, "$0.000002")]
)
def test_a_price_keeps_the_figures_that_tell_it(x, text):
    assert price(x) == text


def test_a_column_in_which_no_row_says_anything_is_not_drawn(drawn):
    """Blank, None and no number alike; a dash or a zero says something, and an empty table keeps its heads."""
    frame = pd.DataFrame({"Book": ["a", "b"], "Note": ["", None], "Odds": [None, float("nan")], "Left": ["–", "–"]})
    assert list(drawn(frame, formats={"Odds": money})[0]) == ["Book", "Left"]
    assert list(drawn(frame.assign(Note=["", "late"]))[0]) == ["Book", "Note", "Left"]
    assert list(drawn(frame.iloc[:0])[0]) == ["Book", "Note", "Odds", "Left"]


def test_names_and_multiples_in_a_sentence():
    assert [listed(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]
    assert (times(12.058), times(-0.5), times(None), times(float("nan"))) == ("12.06×", "−0.50×", "–", "–")
    assert (times(999.9), times(1_000.0), times(7_854_859.5)) == ("999.90×", "over 1,000×", "over 1,000×")
