"""Run by Alembic with a connection that automation.database.upgrade hands over."""

from alembic import context

from automation.database import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
context.run_migrations()
