"""Run by Alembic: on the connection it was given, inside that connection's transaction."""

from alembic import context

from shipments.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
