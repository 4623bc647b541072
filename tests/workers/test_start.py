"""A worker that is set up wrongly says so and ends, instead of parking what it cannot understand."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_worker_does_not_start_with_a_described_source_that_is_wrong(tmp_path):
    (tmp_path / "acme.toml").write_text("carrier = 'acme'\nbroken")
    told = dict(os.environ) | {
        "MILEPOST_SOURCES": str(tmp_path),
        "MILEPOST_REDIS_URL": "redis://127.0.0.1:1/0",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "celery", "-A", "workers.celery", "worker", "-c", "1", "-Q", "act"]
    ended = subprocess.run(command, env=told, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"{tmp_path / 'acme.toml'}:" in ended.stderr
