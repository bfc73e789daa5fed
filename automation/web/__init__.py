"""What others call: providers, and whoever wants no more messages."""
