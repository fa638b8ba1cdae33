"""Generated malformed and hostile portfolio files: each is read or refused with one clear line, nothing else happens.

Three kinds: bytes of a good file flipped, cut or repeated; good structures with values swapped for hostile ones;
raw noise.
"""

import json
import random

import pytest

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio

GOOD = {
    "version": 1,
    "name": "pair",
    "positions": [
        {"symbol": "BTC/USDT:USDT", "quantity": 1.0, "entry_price": 61000, "leverage": 10},
        {"symbol": "BTC/USD:BTC-261225-60000-C", "quantity": -2},
    ],
    "collateral": [{"asset": "USDC", "quantity": 25000}],
}
CCXT = [{"symbol": "BTC/USD:BTC", "contracts": 5, "contractSize": 100, "side": "long", "entryPrice": 60000}]
CSV = "kind,symbol,quantity,entry_price,leverage\nposition,BTC/USD,1,60000,\ncollateral,USDC,25000,,\n"
HOSTILE = [
    None, True, 0, -1, 1e308, -1e308, 1e-320, 10**400, "", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\x00",
    "\u202e", "A" * 100_000, [], {}, [[]], {"__proto__": 1}, "../../etc/passwd", "${7*7}", "'; DROP TABLE series; --",
    float("inf"),
    "BTC/USDT:USDT-999999-1-C", "NaN", "１２３", "BTC/USD\n", [None], {"symbol": {}}, -0.0, "0x10", "1e5",
]  # fmt: skip
PER_KIND = 1500


def mutated_bytes(rng, text):
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.choice([rng.randrange(256), rng.choice(b"0123456789.,")])
            case 1:
                del data[at : at + rng.randint(1, 20)]
            case 2:
                data[at:at] = data[max(0, at - 15) : at] * rng.randint(1, 3)
            case _:
                data[at:at] = rng.choice([b"[", b"{", b'"', b",", b"\xff", b"\n", b"1e999", b"\\u0000", b"9" * 400])
        if not data:
            return b"{"
    return bytes(data)


def swapped(rng, value):
    """`value` with one to three of its parts, at any depth, replaced by a hostile value or key."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.randint(1, 3)):
        node = value
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(node[key], dict | list) and rng.random() < 0.7:
                node = node[key]
                continue
            if isinstance(node, dict) and rng.random() < 0.2:
                node[str(rng.choice(HOSTILE))[:50]] = node.pop(key)
            else:
                node[key] = rng.choice(HOSTILE)
            break
    return value


def outcomes(read, inputs):
    """How many were read and how many refused; any other exception fails the test with its input."""
    read_well = refused = 0
    for item in inputs:
        try:
            book = read(item)
        except InputError as error:
            message = str(error)
            assert message.isprintable(), repr(message)
            assert 10 < len(message) < 700, message
            refused += 1
        else:
            assert Portfolio.from_json(book.to_json()) == book
            read_well += 1
    return read_well, refused


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("read", "good"),
    [(Portfolio.from_json, json.dumps(GOOD)), (Portfolio.from_json, json.dumps(CCXT)), (Portfolio.from_csv, CSV)],
    ids=["json", "ccxt", "csv"],
)
def test_damaged_files(read, good, seed):
    rng = random.Random(seed)
    read_well, refused = outcomes(read, [mutated_bytes(rng, good) for _ in range(PER_KIND)])
    assert refused > PER_KIND / 2
    assert read_well > 0


@pytest.mark.parametrize("good", [GOOD, CCXT], ids=["ours", "ccxt"])
def test_hostile_values(good):
    rng = random.Random(3)
    _, refused = outcomes(Portfolio.from_json, [swapped(rng, good) for _ in range(PER_KIND)])
    assert refused > PER_KIND / 3


@pytest.mark.parametrize("read", [Portfolio.from_json, Portfolio.from_csv], ids=["json", "csv"])
def test_noise(read):
    rng = random.Random(4)
    noise = [rng.randbytes(rng.randint(0, 300)) for _ in range(400)]
    noise += ["".join(rng.choices('{}[]",:0eE+-.\n\\u', k=rng.randint(0, 80))) for _ in range(400)]
    _, refused = outcomes(read, noise)
    assert refused > 700


def test_huge_files_are_refused_at_once():
    for read in (Portfolio.from_json, Portfolio.from_csv):
        with pytest.raises(InputError, match="too large"):
            read("x" * 3_000_000)
