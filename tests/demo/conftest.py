"""A payment sandbox of its own for the demo's tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def _sandbox_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = tmp_path_factory.mktemp("sandbox") / "state.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "payments.sandbox", "--port", str(port), "--state", str(state)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.get(f"{address}/_control/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        else:
            pytest.fail("the payment sandbox did not start")
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def sandbox(_sandbox_address: str, settings: Settings) -> str:
    """The address of a running sandbox, to which the site's payments go."""
    settings.STRIPE_API_KEY = "sk_test_curblight"
    settings.STRIPE_API_BASE = _sandbox_address
    return _sandbox_address
