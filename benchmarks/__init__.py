"""Measurements the README quotes; each prints its command."""
