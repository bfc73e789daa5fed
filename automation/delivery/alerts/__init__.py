"""What somebody has to know: one incident from its beginning to its end, however many messages it touches."""
