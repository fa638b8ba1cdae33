"""Workshops: what builds the files that are shipped; not shipped themselves."""
