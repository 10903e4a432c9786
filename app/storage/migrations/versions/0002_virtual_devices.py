"""Virtual sites and devices."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "virtual_sites",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("operational_since", sa.BigInteger, nullable=False),
        sa.Column("made_for_device", sa.Boolean, nullable=False),
    )
    op.create_index("virtual_sites_of_client", "virtual_sites", ["client_id", "id"])
    op.create_table(
        "virtual_devices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("site_id", sa.Text, sa.ForeignKey("virtual_sites.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("serial_number", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger),
        sa.Column("recent_kwh", sa.Float(53)),
        sa.Column("recent_start", sa.BigInteger),
        sa.Column("lifetime_kwh", sa.Float(53)),
        sa.Column("lifetime_start", sa.BigInteger),
        sa.Column("nameplate_kwh", sa.Float(53)),
        sa.Column("mode", sa.Text),
        sa.Column("soc_percent", sa.Float(53)),
    )
    op.create_index("virtual_devices_of_client", "virtual_devices", ["client_id", "kind", "id"])
    op.create_index("virtual_devices_of_site", "virtual_devices", ["site_id"])


def downgrade() -> None:
    op.drop_table("virtual_devices")
    op.drop_table("virtual_sites")
