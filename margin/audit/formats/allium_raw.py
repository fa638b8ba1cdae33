"""Allium's raw table of Hyperliquid's perpetual positions: as its views, with other names for size and time."""

from dataclasses import replace

from margin.audit.formats import allium

ADAPTER = replace(
    allium.ADAPTER,
    name="allium-raw",
    title="Allium: raw snapshots of perpetual positions",
    quantity="size",
    snapshot="timestamp",
)
