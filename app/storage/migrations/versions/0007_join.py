"""Join: sessions, flows, attempts of owners to give consent, and origins of the pages that may read sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "join_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("vendors", sa.JSON, nullable=False),
        sa.Column("stores", sa.Boolean, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("ciphertext", sa.Text),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("vendor", sa.Text),
        sa.Column("result_key_id", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("fetched_at", sa.Float(53)),
    )
    op.create_index("join_sessions_of_client", "join_sessions", ["client_id", "expires_at"])
    op.create_index("join_sessions_by_expiry", "join_sessions", ["expires_at"])
    op.create_table(
        "join_flows",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("vendors", sa.JSON, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("ciphertext", sa.Text),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("join_flows_of_client", "join_flows", ["client_id", "id"])
    _create_attempts()
    op.create_table(
        "join_origins",
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), primary_key=True),
        sa.Column("origin", sa.Text, primary_key=True),
    )


def _create_attempts() -> None:
    op.create_table(
        "join_attempts",
        sa.Column("state_hash", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("session_id", sa.Text, sa.ForeignKey("join_sessions.id", ondelete="CASCADE")),
        sa.Column("flow_id", sa.Text, sa.ForeignKey("join_flows.id", ondelete="CASCADE")),
        sa.Column("grant_id", sa.Text),
        sa.Column("vendor", sa.Text, nullable=False),
        sa.Column("browser_hash", sa.Text, nullable=False),
        sa.Column("company_state", sa.Text),
        sa.Column("key_id", sa.Text),
        sa.Column("verifier", sa.Text),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53)),
        sa.Column("mailed_at", sa.Float(53)),
    )
    for name, column in (
        ("join_attempts_by_expiry", "expires_at"),
        ("join_attempts_of_session", "session_id"),
        ("join_attempts_of_flow", "flow_id"),
        ("join_attempts_of_grant", "grant_id"),
    ):
        op.create_index(name, "join_attempts", [column])


def downgrade() -> None:
    for table in ("join_origins", "join_attempts", "join_flows", "join_sessions"):
        op.drop_table(table)
