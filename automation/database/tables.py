"""Every table: `metadata` is whole once this is imported."""

from automation.database import hooks, referrals, work
from automation.database.schema import metadata

__all__ = ["hooks", "metadata", "referrals", "work"]
