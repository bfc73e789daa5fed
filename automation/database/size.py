"""How much room the database takes."""

from sqlalchemy import Connection, text

SQLITE = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
POSTGRES = text("SELECT pg_database_size(current_database())")


def size_of(connection: Connection) -> int:
    """In bytes; of SQLite without what waits in the write-ahead log."""
    asked = SQLITE if connection.dialect.name == "sqlite" else POSTGRES
    return int(connection.execute(asked).scalar_one())
