"""A half-made city login stops the start, in words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

GOOD = {
    "OIDC_NAME": "Kamppi ID",
    "OIDC_ISSUER": "https://login.example.org/",
    "OIDC_CLIENT_ID": "curblight",
    "OIDC_CLIENT_SECRET": "s",
}
ASK = "from config import settings as s; print(s.OIDC_ISSUER, s.SOCIALACCOUNT_PROVIDERS)"


def start(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"OIDC_CLIENT_SECRET": ""}, "needs OIDC_CLIENT_SECRET as well"),
        ({"OIDC_ISSUER": "login.example.org"}, "must look like https://login.example.org"),
        ({"OIDC_ISSUER": "http://login.example.org"}, "must look like https://login.example.org"),
    ],
)
def test_a_bad_value_is_named(bad: dict[str, str], words: str) -> None:
    done = start(**{**GOOD, **bad})
    assert done.returncode != 0
    assert words in done.stderr


def test_a_good_one_is_taken() -> None:
    done = start(**GOOD)
    assert "'server_url': 'https://login.example.org'" in done.stdout, done.stderr
