"""Floor 2: price files that visitors bring, read within bounds, written safely."""

__all__ = ["cells", "days", "layout", "parquet", "parquet_child", "read", "readers", "table", "volumes"]
