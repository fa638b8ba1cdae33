"""Parquet files, read in a process of their own."""

from data.files.parquet import read_parquet_table
from data.files.readers import Reader

READER = Reader("Parquet", 10, lambda content: content.startswith(b"PAR1"), read_parquet_table)
