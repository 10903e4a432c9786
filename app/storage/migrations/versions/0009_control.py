"""Battery control: orders, their events at the vendor, writes, and read-backs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "control_orders",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("vendor", sa.Text, nullable=False),
        sa.Column("site_key", sa.JSON, nullable=False),
        sa.Column("credentials_id", sa.Text),
        sa.Column("program", sa.Text),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("kw", sa.Float(53)),
        sa.Column("limit_percent", sa.Float(53)),
        sa.Column("priority", sa.Text),
        sa.Column("allow_export", sa.Boolean),
        sa.Column("rating_kw", sa.Float(53)),
        sa.Column("before", sa.JSON),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ends_as", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("verdict", sa.JSON),
        sa.Column("is_listed", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_index("control_orders_of_client", "control_orders", ["client_id", "site_id", "start_at"])
    op.create_index("control_orders_of_site", "control_orders", ["site_id", "end_at"])
    op.create_index("control_orders_by_credentials", "control_orders", ["credentials_id"])
    _create_events()
    _create_writes()
    _create_readings()


def _create_events() -> None:
    op.create_table(
        "control_events",
        sa.Column("id", sa.Text, primary_key=True),
        _order_id(),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("kw", sa.Float(53)),
        sa.Column("limit_percent", sa.Float(53)),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("vendor_id", sa.Text),
        sa.Column("accepted_kw", sa.Float(53)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
    )
    op.create_index("control_events_of_order", "control_events", ["order_id"])


def _create_writes() -> None:
    op.create_table(
        "control_writes",
        sa.Column("id", sa.Text, primary_key=True),
        _order_id(),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("event", sa.JSON, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("control_writes_of_order", "control_writes", ["order_id"])
    op.create_index("control_writes_of_site", "control_writes", ["site_id", "sent_at"])


def _create_readings() -> None:
    op.create_table(
        "control_readings",
        sa.Column("id", sa.Text, primary_key=True),
        _order_id(),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("measured_at", sa.BigInteger),
        sa.Column("kw", sa.Float(53)),
        sa.Column("soc_percent", sa.Float(53)),
    )
    op.create_index("control_readings_of_order", "control_readings", ["order_id"])


def _order_id() -> sa.Column[str]:
    return sa.Column("order_id", sa.Text, sa.ForeignKey("control_orders.id", ondelete="CASCADE"), nullable=False)


def downgrade() -> None:
    for table in ("control_readings", "control_writes", "control_events", "control_orders"):
        op.drop_table(table)
