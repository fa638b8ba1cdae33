"""What the visitor of the Correlations page looks at."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is looked at: assets, how correlation is measured, up to which day, and the pair that is followed."""

    assets: tuple[str, ...]
    method: str
    window: int
    horizon: int
    as_of: str | None
    pair: tuple[str, str]

    @property
    def path_method(self) -> str:
        """How a single pair is followed: by the same method, where it has a path."""
        return self.method if self.method in ("rolling", "ewma", "spearman") else "rolling"
