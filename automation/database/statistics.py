"""What SQLite's planner is told about the tables before there is anything to count.

Without statistics SQLite takes every index for equally selective and reads a whole shard where a customer's rows were
asked for. These are the figures of a shop with a million customers; `ANALYZE` replaces them by counted ones, and the
plans stay the same.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text

# Table, index (the table's own name stands for its primary key): rows, then rows for each further column known.
EXPECTED = (
    ("customers", "customers", "1000000 4000 1"),
    ("customers", "customers_by_email", "1000000 1"),
    ("customers", "customers_by_phone", "500000 1"),
    ("events", "events", "10000000 40000 10 1"),
    ("events", "events_by_time", "10000000 40000 2 1"),
    ("consents", "consents", "2000000 8000 2 1"),
    ("stage_changes", "stage_changes", "3000000 12000 40 1"),
    ("stage_changes", "stage_changes_of_customer", "3000000 12000 3 1"),
    ("enrollments", "enrollments", "2000000 8000 1"),
    ("enrollments", "one_open_enrollment", "300000 1200 2 1"),
    ("enrollments", "enrollments_of_customer", "2000000 8000 2 1 1"),
    ("offers", "sqlite_autoindex_offers_2", "1000000 4000 1"),
    ("suppressions", "suppressions", "50000 25000 1"),
    ("messages", "messages", "4000000 16000 1"),
    ("messages", "messages_of_customer", "4000000 16000 4 1"),
    ("messages", "sqlite_autoindex_messages_2", "4000000 16000 2 1 1"),
    ("messages", "one_open_copy", "100 2 1 1"),
    ("messages", "messages_alike", "4000000 80000 30000 30000 10000 5000 20 1"),
    ("messages", "messages_by_time", "4000000 10000 1"),
    ("messages", "messages_due", "100000 50000 100 1"),
    ("messages", "messages_planned", "500000 2000 10"),
    ("messages", "messages_in_flight", "1000 500"),
    ("messages", "messages_to_look_up", "5000 2500 10"),
    ("messages", "messages_by_address", "3000000 4"),
    ("attempts", "attempts", "4000000 16000 1 1"),
    ("attempts", "attempts_by_provider", "4000000 2000000 10 1"),
    ("outcomes", "outcomes", "4000000 16000 1 1 1"),
)


INSERT = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
# The documented way to have the figures read again.
RELOAD = text("ANALYZE sqlite_master")


def assume_statistics(connection: Connection) -> None:
    """Tell SQLite's planner what to expect of new tables, and of those that a migration has made anew; read when the
    database is next opened.
    """
    if not inspect(connection).has_table("sqlite_stat1"):
        connection.execute(text("ANALYZE"))
    known = set(connection.execute(text("SELECT tbl FROM sqlite_stat1")).scalars())
    told = [{"tbl": tbl, "idx": idx, "stat": stat} for tbl, idx, stat in EXPECTED if tbl not in known]
    if told:
        connection.execute(INSERT, told)


def assume_facts(connection: Connection) -> None:
    """The same for the facts table, which is made anew when facts.toml changes."""
    if connection.dialect.name == "sqlite":
        told = [
            {"tbl": "facts", "idx": "facts", "stat": "1000000 4000 1"},
            {"tbl": "facts", "idx": "facts_stale", "stat": "5000 20 1"},
        ]
        connection.execute(text("DELETE FROM sqlite_stat1 WHERE tbl = 'facts'"))
        connection.execute(INSERT, told)
        connection.execute(RELOAD)


UNKNOWN_SIZES = text("SELECT relname FROM pg_class WHERE relname = ANY(:names) AND reltuples <= 0")


def know_sizes(connection: Connection, names: Sequence[str]) -> None:
    """Tell PostgreSQL's planner about tables that it knows nothing of: in a shop's first run they grow from nothing to
    millions of rows, faster than it looks by itself, and it would read whole tables for one customer.
    """
    if connection.dialect.name == "postgresql":
        for name in connection.execute(UNKNOWN_SIZES, {"names": list(names)}).scalars().all():
            connection.execute(text(f"ANALYZE {name}"))
