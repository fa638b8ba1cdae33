"""What people really paste: Python's print, fences, printed data frames, wrappings, web pages, secrets."""

import json

import pytest

from margin.core.errors import InputError
from margin.formats.read import read_portfolio

ROW = {
    "symbol": "BTC/USDT:USDT", "contracts": 0.5, "contractSize": 1.0, "side": "short", "notional": 31_000.0,
    "markPrice": 62_000.0, "entryPrice": 61_000.0, "leverage": 10, "marginMode": "cross", "collateral": 1_550.0,
}  # fmt: skip
OTHER = {**ROW, "symbol": "ETH/USDT:USDT", "contracts": 10, "notional": 30_000.0, "markPrice": 3_000.0}
PYTHON = (
    "[{'datetime': datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), 'info': {'q': Decimal('0.5')}, "
    "'symbol': 'BTC/USDT:USDT', 'contracts': np.float64(0.5), 'contractSize': Decimal('1'), 'side': 'short', "
    "'notional': Decimal('31000.0'), 'markPrice': 62000.0, 'entryPrice': Decimal('61000'), 'percentage': nan, "
    "'x': np.nan, 'y': -inf, 'z': Timestamp('2026-01-01', tz='UTC'), 'hedged': False, 'id': None}]"
)
FRAME = "          symbol   side  contracts  entryPrice\n0  BTC/USDT:USDT  short        0.5     61000.0\n"


def held(text: str) -> list[tuple[str, float]]:
    read = read_portfolio(text)
    assert not read.set_aside
    return [(p.symbol, p.quantity) for account in read.portfolio.accounts for p in account.positions]


@pytest.mark.parametrize(
    "text",
    [
        PYTHON,
        f"positions = {json.dumps([ROW])}",
        f"const positions = {json.dumps([ROW])};",
        f"```json\n{json.dumps([ROW])}\n```",
        json.dumps(ROW),
        json.dumps({"data": {"list": [ROW]}}),
        json.dumps([{**ROW, "side": "SHORT"}]),
        FRAME,
        f"```\n{FRAME}```",
    ],
    ids=["python", "named", "script", "fence", "one object", "wrapped", "capitals", "data frame", "fenced frame"],
)
def test_one_short_bitcoin_however_it_was_written(text):
    assert held(text) == [("BTC/USDT:USDT", -0.5)]


def test_an_entry_printed_as_decimal_is_a_number():
    assert read_portfolio(PYTHON).portfolio.accounts[0].positions[0].entry_price == 61_000.0


def test_positions_one_a_line_are_one_account():
    assert held(f"{json.dumps(ROW)}\n{json.dumps(OTHER)}") == [("BTC/USDT:USDT", -0.5), ("ETH/USDT:USDT", -10.0)]


@pytest.mark.parametrize(
    "empty",
    [
        [], {"positions": []}, {"data": []}, {"result": {"list": []}}, {"error": [], "result": {}},
        {"result": "success", "openPositions": [], "serverTime": "2026"}, {"subaccounts": []},
    ],
)  # fmt: skip
def test_nothing_open_is_said_and_is_no_error(empty):
    read = read_portfolio(json.dumps(empty))
    assert not any(a.positions for a in read.portfolio.accounts)
    assert any("no open position" in note for note in read.portfolio.notes)


@pytest.mark.parametrize(
    "text",
    [
        "apiKey: AKIA1234567\nsymbol\tsize\nBTC/USDT:USDT\t1",
        "api_secret=abcdefabcdef",
        '{"apiKey": "AKIA1234567", "positions": [',
        "{'secret': 'AKIA1234567', 'positions': []}",
        f"symbol\tsize\nBTC/USDT:USDT\t1\nmine\t0x{'ab' * 32}",
        "-----BEGIN EC PRIVATE KEY-----\nAKIA1234567",
        json.dumps([{**ROW, "info": {"password": "AKIA1234567"}}]),
    ],
)
def test_a_secret_refuses_the_text_and_is_not_repeated(text):
    with pytest.raises(InputError, match="is a secret; nothing of this text was kept") as caught:
        read_portfolio(text)
    assert "AKIA" not in str(caught.value) and "abcdef" not in str(caught.value) and "abab" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["symbol\tsize\tnote\nSCRT/USDT:USDT\t1\tsecret plan", "symbol\tsize\nKEY/USDT:USDT\t1"]
)
def test_a_word_alone_is_no_secret(text):
    assert len(held(text)) == 1


def test_nothing_pasted_is_called(tmp_path):
    there = tmp_path / "touched"
    for text in (f"[__import__('pathlib').Path({str(there)!r}).touch()]", f"[{{'x': open({str(there)!r}, 'w')}}]"):
        with pytest.raises(InputError):
            read_portfolio(text)
    assert not there.exists()


@pytest.mark.parametrize(
    "code", [{"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}, {"retCode": 10003, "retMsg": "bad"}]
)
def test_a_refusal_with_an_empty_list_is_no_empty_account(code):
    with pytest.raises(InputError, match="error message"):
        read_portfolio(json.dumps({**code, "data": []}))
