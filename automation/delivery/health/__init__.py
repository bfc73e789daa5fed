"""Which providers and playbooks may send now, and who said so."""
