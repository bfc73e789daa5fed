"""A step whose turn it is becomes a row of the ledger."""
