"""Grants: consents of owners, each of which is a row of vendor_credentials as well; and links to renew them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("vendor_credentials", sa.Column("is_grant", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "grants",
        sa.Column("id", sa.Text, sa.ForeignKey("vendor_credentials.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("credentials_id", sa.Text, sa.ForeignKey("vendor_credentials.id")),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("account_hash", sa.Text),
        sa.Column("refresh_seconds", sa.Float(53)),
        sa.Column("refresh_until", sa.Float(53)),
        sa.Column("poll_at", sa.Float(53)),
        sa.Column("ends_at", sa.Float(53)),
        sa.Column("consented_at", sa.BigInteger),
    )
    op.create_index("grants_of_client", "grants", ["client_id", "id"])
    op.create_index("grants_by_credentials", "grants", ["credentials_id"])
    op.create_index("grants_by_account", "grants", ["client_id", "account_hash"])
    op.create_table(
        "consent_links",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("grant_id", sa.Text, sa.ForeignKey("grants.id", ondelete="CASCADE"), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53)),
    )
    op.create_index("consent_links_of_grant", "consent_links", ["grant_id"])


def downgrade() -> None:
    op.drop_table("consent_links")
    op.drop_table("grants")
    # A grant without its row would be used as stored credentials.
    op.execute(sa.text("DELETE FROM vendor_credentials WHERE is_grant"))
    op.drop_column("vendor_credentials", "is_grant")
