"""Exchanges on loopback: the wire formats, page limits and quirks of real ones, and their ways to fail."""

from tests.exchange_server.faults import Fault
from tests.exchange_server.server import ExchangeServer

__all__ = ["ExchangeServer", "Fault"]
