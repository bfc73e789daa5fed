"""What support staff read: times in the business's zone, values as people write them, a sentence before the details."""
