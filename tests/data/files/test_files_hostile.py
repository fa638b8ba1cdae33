"""5,000 malformed and hostile price files: each is read into sound prices or refused with one InputError."""

import random

import numpy as np
import pytest

from data.files.read import prices_to_csv, read_prices
from margin.core.errors import InputError
from margin.core.market import Market

SEEDS = (
    "date,BTC,ETH,USDC\n" + "".join(f"2024-01-{d:02d},{40000 + d},{2000.5 + d},1\n" for d in range(1, 25)),
    "Date;BTC/USD;eth-usd\n" + "".join(f"{d:02d}.01.2024;4{d}.000,5;2.{d:03d},25\n" for d in range(10, 25)),
    "time\tasset\tclose\tvolume\n"
    + "".join(f"2024-01-{d:02d}\t{a}\t{d}.5\t7\n" for d in range(1, 15) for a in ("BTC", "ETH")),
    "unix,open,high,low,close,Volume USD\n" + "".join(f"{1704067200 + 3600 * h},1,2,0.5,1.5,9\n" for h in range(30)),
    'Date,Price,Open,"Vol.",Change %\n'
    + "".join(f'"Jan {d:02d}, 2024","1,2{d:02d}.5",1,2.5K,0.1%\n' for d in range(1, 25)),
    "timestamp,BTCUSDT,SOLUSDT\n" + "".join(f"2024-01-01T{h:02d}:00:00+02:00,{h + 1},{h + 2}\n" for h in range(24)),
)
CELLS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e308", "1e309", "-1", "0", "1e-320", "9" * 400, "0x1F", "1_000", "1,5",
    "1.5.5", "=1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "'; DROP TABLE prices;--",
    "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd", "\x00", "\x1b[31m", "\u202e", "\ufeff", "\u0661\u0662",
    "BTC\u200b", "\U0001f4a9", "\ud7ff", '"', '""', '"x', ",", ";", "\t", "|", "#", "\n", "\r", "\r\n", "2024-02-30",
    "0000-00-00", "31/12/2024", "12/31/2024", "1/2/2024", "99999999999999999999", "2024-01-01T25:00",
    "2024-01-01T00:00+99:99", "1970-01-01", "2199-12-31", "2262-04-12", "9999-12-31", "-1704067200", "1e9", "True",
    "None", "null", "%", "$", "€5", "(5)", "5-", "--", "+", "date", "close", "USD", "USDT", "A" * 70, "__proto__",
)  # fmt: skip
NAMES = (
    "prices.csv",
    "BTC.csv",
    "",
    "../../x.csv",
    "\x00",
    "a" * 500,
    "<b>.csv",
    "CON",
    "ETH-USD (1).csv",
    "\u202egnp.csv",
)


def mutate(text, rng):
    """One to four damages to the text of a file."""
    for _ in range(rng.randint(1, 4)):
        lines = text.split("\n")
        sign = next((s for s in (",", ";", "\t") if s in lines[0]), ",")
        row = rng.randrange(len(lines))
        cells = lines[row].split(sign)
        what = rng.randrange(12)
        if what <= 3:  # a cell, often of the header
            if rng.random() < 0.3:
                row = 0
                cells = lines[0].split(sign)
            cells[rng.randrange(len(cells))] = rng.choice(CELLS)
            lines[row] = sign.join(cells)
        elif what == 4:
            lines[row] = sign.join(cells + [rng.choice(CELLS)] * rng.randint(1, 5))
        elif what == 5:
            lines[row] = sign.join(cells[: rng.randrange(len(cells) + 1)])
        elif what == 6:
            lines.insert(row, rng.choice(lines))
        elif what == 7:
            rng.shuffle(lines)
        elif what == 8:
            column = rng.randrange(len(cells))
            value = rng.choice(CELLS)
            lines = [sign.join([*p[:column], value, *p[column + 1 :]]) for p in (line.split(sign) for line in lines)]
        elif what == 9:
            del lines[rng.randrange(len(lines)) :]
        elif what == 10:
            lines = [line.replace(sign, rng.choice(",;\t| ")) for line in lines]
        else:
            position = rng.randrange(len(text) + 1)
            lines = (text[:position] + rng.choice(CELLS) + text[position:]).split("\n")
        text = "\n".join(lines) or "x"
    return text


def hostile(rng):
    """The bytes of one file."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(300))
    if kind == 1:
        return "\n".join(",".join(rng.choices(CELLS, k=rng.randint(1, 6))) for _ in range(rng.randint(1, 12))).encode(
            "utf-8", "replace"
        )
    text = mutate(rng.choice(SEEDS), rng)
    content = text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig", "utf-32", "cp1252")), "replace")
    if kind == 2:
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        content = bytes(damaged)
    elif kind == 3:
        content = content[rng.randrange(len(content)) : rng.randrange(len(content)) + 1]
    return content


def check(content, name):
    """Whether it was read; anything but sound prices or one clear line fails the test."""
    try:
        prices = read_prices(content, name)
    except InputError as error:
        message = str(error)
        assert message.isprintable() and 10 < len(message) < 600
        return False
    closes = prices.closes
    assert prices.assets and len(closes)
    assert closes.index.is_unique and closes.index.is_monotonic_increasing
    assert not (closes <= 0).any().any() and not np.isinf(closes.to_numpy()).any()
    assert closes.notna().any(axis=1).all()
    assert all(f.count >= 0 and f.kind and f.action and len(f.detail) < 500 for f in prices.findings)
    Market(closes, prices.volumes)  # the engine takes it
    assert not prices_to_csv(prices).startswith(("=", "@", "+", "-"))
    return True


@pytest.mark.parametrize("part", range(5))
def test_hostile_text_files(part):
    rng = random.Random(1000 + part)
    read = 0
    for _ in range(250):
        content, name = hostile(rng), rng.choice(NAMES)
        try:
            read += check(content, name)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{name!r}\n{content!r}") from error
    assert 25 < read < 225  # both ways were walked


@pytest.mark.parametrize(
    "content",
    [
        b"date,BTC\n" + b"2024-01-01," + b"1" * 1_900_000 + b"\n",
        b"date,BTC\n" + b'"' * 1_900_000,
        b"date,BTC\n" + b"1,2\n" * 199_000,
        b"," * 1_900_000,
        b"\n" * 1_900_000,
        b"a" * 1_900_000,
        b"date,BTC\n" + b"2024-01-01," + b"(" * 120_000 + b"\n",
        b"date,BTC\n" + b"0/0/0/" * 300_000,
        b"date;BTC\n" + b"1.1.1.1.1;" * 190_000,
        b"date,BTC\n" + b"".join(b"%d,-.,e\n" % n for n in range(150_000)),
        b"date,asset,close\n" + b"".join(b"2024-01-01,A%d,1\n" % (n % 499) for n in range(90_000)),
        ("date,BTC\n" + "\u0660" * 600_000).encode(),
    ],
    ids=range(12),
)
def test_files_made_to_take_long(content):
    """Up to 2 MB of what a careless pattern would chew on for hours; the suite's time limit is the test."""
    assert len(content) < 2_000_000
    check(content, "slow.csv")
