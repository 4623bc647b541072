"""What else a parcel is known by: deliveries found by a reference, and what a person says of a number's carrier.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "numbers",
        sa.Column("because", sa.Text(), comment="the reference it was found by; null where Odoo's delivery carries it"),
    )
    op.add_column(
        "numbers",
        sa.Column("stands_for", sa.Text(), comment="the number on the delivery whose parcel this is, by another name"),
    )
    op.add_column("parcels", sa.Column("candidates", sa.Text(), comment="why no delivery was chosen, and which fit"))
    op.create_table(
        "carrier_choices",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("number", sa.Text(), nullable=False, comment="the tracking number, as compared"),
        sa.Column("carrier", sa.Text(), comment="who carries it; null takes the choice back"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        comment="What people say of a number's carrier, over what was guessed. Append-only; the last one counts.",
    )
    op.create_index("carrier_choices_number_id_idx", "carrier_choices", ["number", "id"])


def downgrade() -> None:
    op.drop_table("carrier_choices")
    op.drop_column("parcels", "candidates")
    op.execute("delete from numbers where because is not null")
    op.drop_column("numbers", "stands_for")
    op.drop_column("numbers", "because")
