"""Pieces that every page draws with: theme, tables, notices, downloads."""
