"""The builder makes the very files that are bundled, and the page shows the very tables it makes."""

import numpy as np
import pandas as pd
import pytest

from data.sample import load_sample
from tools.sample import build as build_sample
from tools.sample.facts import read_facts
from tools.sample.report import comparison


@pytest.fixture(scope="module")
def rebuilt() -> tuple[pd.DataFrame, pd.DataFrame]:
    return build_sample.build()


def test_rebuilding_gives_the_bundled_figures(rebuilt):
    sample = load_sample()
    for made, kept in zip(rebuilt, (sample.closes, sample.volumes), strict=True):
        assert list(made.columns) == list(kept.columns)
        assert list(made.index) == list(kept.index)
        np.testing.assert_allclose(made.to_numpy(), kept.to_numpy(), rtol=1e-9)


def test_rebuilding_gives_the_bundled_bytes(rebuilt):
    for made, name in zip(rebuilt, ("closes.csv", "volumes.csv"), strict=True):
        assert build_sample.as_csv(made).encode() == (build_sample.FOLDER / name).read_bytes(), name


def test_another_seed_gives_other_days_and_the_same_month_ends(rebuilt):
    facts = read_facts()
    other, _ = build_sample.build(facts, seed=2)
    for coin in facts.coins:
        same = other[coin] == rebuilt[0][coin]
        ends = facts.month_ends[coin].dropna().index
        assert same[ends].all()
        assert same.drop(facts.month_ends.index).mean() < 0.005


def test_the_page_shows_these_tables(rebuilt):
    page = build_sample.PAGE.read_text(encoding="utf-8")
    assert build_sample.with_tables(page, comparison(read_facts(), rebuilt[0])) == page


def test_a_page_without_its_marks_is_not_overwritten():
    with pytest.raises(ValueError, match="lost the marks"):
        build_sample.with_tables("# The bundled sample\n", "table")
