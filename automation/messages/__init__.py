"""What we say: templates, rendering for one customer, SMS encoding and segments."""
