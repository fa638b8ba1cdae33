"""Paradex: the margin parameters of its markets."""

from typing import Any

HOSTS = ("api.prod.paradex.trade",)


def where(path: str, body: Any) -> str:
    return "tiers" if path.endswith("/markets") else "other"


def _market(base: str, kind: str, imf: str, factor: str = "0") -> dict[str, Any]:
    rule = {"imf_base": imf, "imf_factor": factor, "imf_shift": "0", "mmf_factor": "0.5"}
    return {
        "symbol": f"{base}-USD-{kind}",
        "asset_kind": kind,
        "base_currency": base,
        "delta1_cross_margin_params": rule,
    }


def answer(ask: Any) -> tuple[int, Any]:
    if not ask.path.endswith("/markets"):
        raise KeyError(ask.path)
    markets = [
        _market("BTC", "PERP", "0.02"),
        _market("SOL", "PERP", "0.02"),
        _market("kPEPE", "PERP", "0.05"),
        _market("OLD", "PERP", "0.1", "0.001"),
    ]
    return 200, {"results": [*markets, {"symbol": "BTC-USD-1-C", "asset_kind": "PERP_OPTION", "base_currency": "BTC"}]}
