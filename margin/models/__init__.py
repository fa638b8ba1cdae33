"""Floor 2: what every margin model gives, ours and every venue's, and the registry that finds one by its key.

from margin import models
models.get("hyperliquid:cross").state(sub_account, marks)
models.get("portfolio", market=market, settings=settings)
"""
