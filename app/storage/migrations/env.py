"""Runs the migrations on the connection that app.storage.database.Database.upgrade hands over."""

from alembic import context

from app.storage import credential_tables, virtual_tables  # noqa: F401 - add their tables to the metadata
from app.storage.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can do it since the engine sends BEGIN itself; alembic assumes that it cannot.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
