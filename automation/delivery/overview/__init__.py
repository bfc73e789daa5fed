"""How things stand at a moment: what the console's first pages and the probes tell. It only reads, along indexes."""
