"""Loading the sample: labelled, cheap to import, safe to change, always the same."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np

from data.sample import load_sample
from margin.core.market import Market
from tests.support import ROOT


def test_every_asset_says_that_it_is_sample():
    sample = load_sample()
    assert sample.is_sample
    assert set(sample.provenance) == set(sample.assets)
    for asset, origin in sample.provenance.items():
        assert (origin.asset, origin.status, origin.source) == (asset, "sample", "bundled sample")
        assert origin.note == "sample, partly simulated"
        assert origin.fetched_at is None
        held = sample.closes[asset].dropna()
        assert origin.rows == len(held)
        assert origin.first == held.index[0].to_pydatetime().replace(tzinfo=UTC)
        assert origin.last == held.index[-1].to_pydatetime().replace(tzinfo=UTC)
    assert sample.failures == {}
    assert sample.as_of == datetime(2026, 8, 31, tzinfo=UTC)


def test_findings_say_what_is_simulated_and_what_is_missing():
    findings = load_sample().findings
    assert any("partly simulated" in finding.detail for finding in findings)
    kinds = {(finding.asset, finding.kind) for finding in findings}
    assert {("AAVE", "late listing"), ("SPY", "calendar"), ("GLD", "calendar")} <= kinds
    listing = next(finding for finding in findings if finding.kind == "late listing")
    assert (listing.count, listing.last) == (15, datetime(2020, 10, 14, tzinfo=UTC))


def test_a_caller_who_changes_the_frames_changes_only_their_own():
    mine = load_sample()
    mine.closes.loc[:, "BTC"] = 1.0
    mine.volumes.iloc[:, :] = np.nan
    mine.provenance.clear()
    again = load_sample()
    assert again.closes["BTC"].iloc[0] == 10776.59
    assert again.volumes["BTC"].notna().all()
    assert "BTC" in again.provenance
    assert again.version == mine.version


def test_the_engine_takes_it():
    sample = load_sample()
    market = Market(sample.closes, sample.volumes)
    assert market.price("BTC") == 78548.6
    assert market.returns(["BTC", "SPY"], lookback=500).values.shape == (500, 2)


def test_values_are_the_files_decimals_exactly():
    rows = (ROOT / "margin" / "sample" / "closes.csv").read_text().splitlines()
    cells = [[float(cell) if cell else np.nan for cell in row.split(",")[1:]] for row in rows[1:]]
    np.testing.assert_array_equal(load_sample().closes.to_numpy(), np.array(cells))


def test_loading_imports_nothing_slow_and_needs_no_working_directory(tmp_path):
    code = (
        "import sys; from data.sample import load_sample; p = load_sample(); "
        "slow = [m for m in ('scipy', 'ccxt', 'yfinance', 'streamlit', 'plotly', 'pyarrow.parquet', 'numba', "
        "'tools.sample', 'tools.sample.build') if m in sys.modules]; print(p.version, len(p.closes), slow)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARGIN_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split(maxsplit=2) == [load_sample().version, "2162", "[]\n"]
