"""Who runs it: the daily run, and the ticks that keep everything going."""
