"""What happens to a message: decided, claimed, posted, recorded, followed up."""
