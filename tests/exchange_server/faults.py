"""How an exchange can fail, and the candles it then gives."""

from dataclasses import dataclass

ANSWERS = (
    "451",
    "403",
    "429",
    "500",
    "html",
    "truncated",
    "hang",
    "empty",
    "null",
    "blank",
    "204",
    "invalid",
    "maintenance",
    "bomb",
    "redirect",
)
ODD_MARKS = {"mark missing": "", "mark zero": "0", "mark below zero": "-1", "mark NaN": "NaN", "mark a word": "n/a"}
MARK_UP = 1.01  # "mark up": this venue's marks stand 1% above the others'
DAMAGE = (*ODD_MARKS, "mark up", "gaps", "duplicates", "zeros", "delisted", "unlisted", "short", "hole")
DELISTED_DAYS = 60  # how long ago the candles of a "delisted" asset end


@dataclass
class Fault:
    """One rule: requests to `host` (part of its name) whose address mentions `asset`, the first `times` of them.

    kind  : one of ANSWERS (what the server says instead) or DAMAGE (what is wrong with the candles; an "unlisted" asset,
            which must be named, is not among the markets either)
    where : "candles", "markets", "marks", "account" or "all"; retry_after : seconds, for 429
    """

    kind: str
    host: str = ""
    asset: str = ""
    where: str = "candles"
    times: int | None = None
    retry_after: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ANSWERS + DAMAGE:
            raise ValueError(f"kind must be one of {ANSWERS + DAMAGE}, got {self.kind!r}")
        if self.kind == "unlisted":
            if not self.asset:
                raise ValueError("an unlisted asset must be named")
            self.where = "markets"

    def applies(self, host: str, where: str, address: str) -> bool:
        """Whether the rule is for this request; each True uses up one of its `times`."""
        named = self.kind == "unlisted" or self.asset in address
        if self.host not in host or not named or self.where not in (where, "all"):
            return False
        if self.times is not None:
            if self.times <= 0:
                return False
            self.times -= 1
        return True


def damaged(rows: list[tuple], kinds: set[str], now_ms: int) -> list[tuple]:
    """Candles with every tenth missing, every twelfth twice, every fifteenth zero; by open time, so pages agree.

    "short": the first half of what was asked. "hole": 20 days, from 100 days ago on, are never given.
    """
    if "short" in kinds:
        rows = rows[: max(len(rows) // 2, 1)]
    if "hole" in kinds:
        rows = [r for r in rows if not 80 * 86_400_000 < now_ms - r[0] <= 100 * 86_400_000]
    out = []
    ends = now_ms - DELISTED_DAYS * 86_400_000 if "delisted" in kinds else now_ms
    for row in rows:
        if row[0] > ends:
            continue
        number = row[0] // 3_600_000
        number = number // 24 if number % 24 == 0 else number
        if "gaps" in kinds and number % 10 == 3:
            continue
        if "zeros" in kinds and number % 15 == 4:
            row = (row[0], 0.0, 0.0, 0.0, 0.0, 0.0)
        out.append(row)
        if "duplicates" in kinds and number % 12 == 5:
            out.append(row)
    return out
