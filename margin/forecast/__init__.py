"""Floor 5: how likely a margin call is; so far the arrays beneath: closed form, paths, correction, scores."""

__all__ = ["calibration", "first_passage", "paths", "scores", "volatility"]
