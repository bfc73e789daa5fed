"""What became of messages after the provider had taken them."""
