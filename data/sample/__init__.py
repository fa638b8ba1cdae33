"""Floor 0: the bundled sample, handed on from the engine, which ships it: `from data.sample import load_sample`."""

from margin.sample.load import load_sample

__all__ = ["load_sample"]
