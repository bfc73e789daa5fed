"""What support staff ask of the ledger: why, why not, and what was sent."""
