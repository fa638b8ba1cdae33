"""How an exchange can fail, and the candles it then gives."""

from dataclasses import dataclass

ANSWERS = ("451", "403", "429", "500", "html", "truncated", "hang", "empty")
DAMAGE = ("gaps", "duplicates", "zeros")


@dataclass
class Fault:
    """One rule: requests to `host` (part of its name) whose address mentions `asset`, the first `times` of them.

    kind  : one of ANSWERS (what the server says instead) or DAMAGE (what is wrong with the candles)
    where : "candles", "markets" or "all"; retry_after : seconds, for 429
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

    def applies(self, host: str, where: str, address: str) -> bool:
        """Whether the rule is for this request; each True uses up one of its `times`."""
        if self.host not in host or self.asset not in address or self.where not in (where, "all"):
            return False
        if self.times is not None:
            if self.times <= 0:
                return False
            self.times -= 1
        return True


def damaged(rows: list[tuple], kinds: set[str]) -> list[tuple]:
    """Candles with every tenth missing, every twelfth twice, every fifteenth zero; by open time, so pages agree."""
    out = []
    for row in rows:
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
