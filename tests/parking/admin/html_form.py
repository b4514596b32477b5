"""What a browser without scripts would send for the fields of a page."""

from __future__ import annotations

from html.parser import HTMLParser

from django.http import QueryDict


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.templates = 0
        self.text: tuple[str, list[str]] | None = None
        self.select: list[object] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name = given.get("name", "")
        if tag == "template":
            self.templates += 1
        elif self.templates:
            return
        elif tag == "input" and name and given.get("type") not in {"submit", "file"}:
            ticks = given.get("type") in {"checkbox", "radio"}
            if not ticks or "checked" in given:
                self.sent.append((name, given.get("value", "on" if ticks else "")))
        elif tag == "textarea":
            self.text = (name, [])
        elif tag == "select":
            self.select = [name, None]
        elif tag == "option" and self.select and ("selected" in given or self.select[1] is None):
            self.select[1] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.templates -= 1
        elif tag == "textarea" and self.text:
            text = "".join(self.text[1]).removeprefix("\n").replace("\n", "\r\n")
            self.sent.append((self.text[0], text))
            self.text = None
        elif tag == "select" and self.select:
            self.sent.append((str(self.select[0]), str(self.select[1])))
            self.select = None

    def handle_data(self, data: str) -> None:
        if self.text:
            self.text[1].append(data)


def fields_of(html: str) -> QueryDict:
    """Return the fields as posted; those of a `<template>` are not among them."""
    reader = _Fields()
    reader.feed(html)
    data = QueryDict(mutable=True)
    for name, value in reader.sent:
        data.appendlist(name, value)
    return data
