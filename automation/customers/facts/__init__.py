"""Facts: named values about a customer as of an instant, defined in facts.toml, kept in one narrow table."""
