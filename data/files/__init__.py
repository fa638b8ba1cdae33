"""Price files that visitors bring: read within bounds, written safely."""
