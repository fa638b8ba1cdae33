"""Blocks and pages of the dashboard; a folder per page, and what pages share."""
