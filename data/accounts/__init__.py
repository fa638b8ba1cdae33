"""Floor 3: public account state by wallet address, asked on demand and kept in no store, log or message."""

from data.accounts.address import check_address
from data.accounts.fetch import FoundAccounts, fetch_accounts, venues

__all__ = ["FoundAccounts", "check_address", "fetch_accounts", "venues"]
