"""The two tables: what happened, and where each parcel stands."""

import os
from datetime import datetime

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker


class Base(DeclarativeBase):
    pass


class Parcel(Base):
    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    carrier: Mapped[str]
    tracking_number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str | None]
    updated_at: Mapped[datetime | None]
    events: Mapped[list["Event"]] = relationship(back_populates="parcel")


class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), index=True)
    dedup_key: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    description: Mapped[str]
    city: Mapped[str | None]
    occurred_at: Mapped[datetime]
    parcel: Mapped[Parcel] = relationship(back_populates="events")


engine = create_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"))
Session = sessionmaker(engine)

if __name__ == "__main__":
    Base.metadata.create_all(engine)
