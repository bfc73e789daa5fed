"""What it was worth: figures over a period, each one module with one function `report(asked)`."""
