"""Every table: `metadata` is whole once this is imported."""

from automation.database import accounts, hooks, referrals, work
from automation.database.schema import metadata

__all__ = ["accounts", "hooks", "metadata", "referrals", "work"]
