"""Floor 2: what stands around every page; entrance, header, navigation, warm-up."""

__all__ = ["entrance", "header", "navigation", "ready", "warmup"]
