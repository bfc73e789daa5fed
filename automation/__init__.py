"""Lifecycle campaign automation: stages from events, playbooks from files, messages with a ledger."""
