"""The workshop of the venues' parameters: reads public tables into the parameter files, writes docs/venues.md's table.

python -m tools.venues                     the venues it can read
python -m tools.venues read NAME ...       ask the venue, without a key, and write its parameter file
python -m tools.venues tables              renew the table of docs/venues.md from the parameter files
"""

__all__ = ["files", "readers", "tables"]
