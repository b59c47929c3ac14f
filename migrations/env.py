"""How Alembic reaches the database: over the connection that `stockpile.db.migrate` hands it, as the owner role."""

from alembic import context

from stockpile.db import migrate
from stockpile.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    **migrate.VERSIONS,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
