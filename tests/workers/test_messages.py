"""Messages that wait in PostgreSQL because the stream could not take them."""

import pytest
from sqlalchemy import Engine

from shipments.store import messages as module
from shipments.store.messages import find_received, keep_received
from tests.workers.conftest import message


@pytest.mark.requirement("M116")
def test_the_oldest_wait_first_and_fewer_are_found_where_they_are_large(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [message(sealed=b"x" * 60) for _ in range(4)]
    for one in reversed(kept):
        keep_received(engine, one)
    with engine.connect() as connection:
        assert find_received(connection, 3) == kept[:3]
        monkeypatch.setattr(module, "BATCH_BYTES", 100)
        assert find_received(connection, 4) == kept[:2]
        monkeypatch.setattr(module, "BATCH_BYTES", 1)
        assert find_received(connection, 4) == kept[:1], "one that is larger than a batch goes alone"
