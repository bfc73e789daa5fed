"""What becomes of calls that nobody holds any more."""
