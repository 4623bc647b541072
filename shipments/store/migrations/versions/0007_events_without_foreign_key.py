"""Events are stored by whoever holds the lock of their parcel; that it is there need not be looked up for each of them.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COMMENT = "of a parcel, which is locked while events are added"


def upgrade() -> None:
    op.drop_constraint("events_parcel_id_fkey", "events", type_="foreignkey")
    op.alter_column("events", "parcel_id", comment=_COMMENT)


def downgrade() -> None:
    op.alter_column("events", "parcel_id", comment=None, existing_comment=_COMMENT)
    op.create_foreign_key("events_parcel_id_fkey", "events", "parcels", ["parcel_id"], ["id"])
