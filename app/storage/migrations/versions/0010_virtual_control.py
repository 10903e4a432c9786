"""Commands to the batteries of virtual sites."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "virtual_control_events",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("site_id", sa.Text, sa.ForeignKey("virtual_sites.id", ondelete="CASCADE"), nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("kw", sa.Float(53)),
        sa.Column("limit_percent", sa.Float(53)),
        sa.Column("shares", sa.JSON, nullable=False),
    )
    op.create_index("virtual_control_events_of_site", "virtual_control_events", ["site_id", "start_at"])


def downgrade() -> None:
    op.drop_table("virtual_control_events")
