"""Where customers stand: conditions, lifecycle models and their evaluation."""
