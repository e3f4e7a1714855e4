"""Labels: what providers, and oneself elsewhere, said about accounts; they are added and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("label_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("notice_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("said_by", sa.Text),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("notice_id", "account_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("label_account", "label", ["account_id"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER label_no_change BEFORE UPDATE OR DELETE ON label "
            "FOR EACH ROW EXECUTE FUNCTION stillwatch_refuse_change()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER label_no_{change.lower()} BEFORE {change} ON label "
            "BEGIN SELECT RAISE(ABORT, 'labels are added, never changed'); END"
        )
