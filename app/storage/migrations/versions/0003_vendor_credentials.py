"""Stored vendor credentials, and the access tokens that are got with them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vendor_credentials",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("vendor", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("ciphertext", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("vendor_credentials_of_client", "vendor_credentials", ["client_id", "id"])
    op.create_table(
        "vendor_tokens",
        sa.Column("id", sa.Text, sa.ForeignKey("vendor_credentials.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key_id", sa.Text),
        sa.Column("ciphertext", sa.Text),
        sa.Column("expires_at", sa.Float(53)),
        sa.Column("lease_holder", sa.Text),
        sa.Column("lease_until", sa.Float(53)),
    )


def downgrade() -> None:
    op.drop_table("vendor_tokens")
    op.drop_table("vendor_credentials")
