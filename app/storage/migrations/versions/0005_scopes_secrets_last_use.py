"""Clients: what they may do, their former secrets, and when they were last seen.

The defaults are those of the database, so that a process of the former release can go on making clients.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("scopes", sa.Text, nullable=False, server_default="read credentials"))
    op.add_column("clients", sa.Column("former_secrets", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("clients", sa.Column("last_used_at", sa.BigInteger))


def downgrade() -> None:
    for column in ("last_used_at", "former_secrets", "scopes"):
        op.drop_column("clients", column)
