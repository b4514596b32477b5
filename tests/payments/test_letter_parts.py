"""Plain texts are read into parts, and parts are written for terminals and mail programs."""

from __future__ import annotations

import pytest
from django.utils import translation

from payments.letter_parts import Code, Facts, Leads, Says, html, parts_of, plain

LONG = "https://park.example.org/bookings/ABCDEFGH/?key=" + "x" * 60


def test_a_text_is_read_into_paragraphs_codes_and_addresses() -> None:
    text = f"\nHello!\nTwo lines.\n\n\nABC-DEF\n\nTo confirm, go to {LONG}\n\n123456\n\n{LONG}\n"
    assert parts_of(text) == [
        Says("Hello!\nTwo lines."),
        Code("ABC-DEF"),
        Leads("To confirm, go to", LONG),
        Code("123456"),
        Leads("", LONG),
    ]


@pytest.mark.parametrize("word", ["Thanks", "Hello", "سلام", "a b", "ABCDEFGHIJKLMNOPQRS", "X"])
def test_a_word_is_no_code(word: str) -> None:
    assert parts_of(word) == [Says(word)]


def test_lines_end_before_the_edge_of_a_terminal_and_addresses_stay_whole() -> None:
    words = "word " * 40
    facts = Facts([("Where", words)])
    lines = plain([Says(words), facts, Leads(words, LONG), Code("123456")]).splitlines()
    assert LONG in lines
    assert max(len(line) for line in lines if line != LONG) <= 72
    assert "    123456" in lines
    assert lines.count("-- ") == 1, "the signature is marked as one"


def test_html_is_escaped_and_turned_with_the_language() -> None:
    with translation.override("fa"):
        written = html([Says("<script>"), Facts([("a<b", "c&d")]), Code("12")], subject="<i>")
    assert '<html lang="fa"' in written
    assert 'dir="rtl"' in written
    assert "<script>" not in written
    assert "<i>" not in written
    assert "&lt;script&gt;" in written
    assert "c&amp;d" in written
