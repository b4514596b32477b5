"""What people read can be collected for translators: xgettext reads the calls, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from scripts.places import CHECKOUT

# How many of the first arguments must stand there as text.
TEXTS = {
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "ngettext": 2,
    "ngettext_lazy": 2,
    "pgettext": 2,
    "pgettext_lazy": 2,
    "npgettext": 3,
    "npgettext_lazy": 3,
}


def uncollected(source: str) -> Iterator[str]:
    """Yield what xgettext does not see: other names, calls in f-strings, texts put together."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {
        alias.asname or alias.name: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in TEXTS
    }
    yield from (name for name, known in names.items() if name not in {"_", known})
    strings = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    hidden = {inner for string in strings for inner in ast.walk(string)}
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if (known := names.get(node.func.id)) is None:
            continue
        texts = node.args[: TEXTS[known]]
        if node in hidden or not all(isinstance(text, ast.Constant) for text in texts):
            yield ast.unparse(node)


def test_every_text_of_the_code_is_collected() -> None:
    found = {
        f"{file.relative_to(CHECKOUT)}: {call}"
        for app in ("config", "parking", "payments")
        for file in (CHECKOUT / app).rglob("*.py")
        for call in uncollected(file.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize(
    "call",
    [
        "gettext as _now\n_now('text')",
        "gettext as _\nf'{_(\"text\")}'",
        "gettext as _\n_(word)",
        "ngettext\nngettext('one', many, 2)",
    ],
)
def test_a_call_that_is_not_collected_is_found(call: str) -> None:
    assert list(uncollected(f"from django.utils.translation import {call}"))
