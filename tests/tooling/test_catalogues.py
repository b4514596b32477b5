"""Every text is there in every language, whole; and no template has one that cannot be."""

from __future__ import annotations

import gettext
import re
import subprocess
from collections import Counter
from pathlib import Path

import allauth
import django
import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils import translation

PLURALS = {"fa": 2, "ru": 3, "vi": 1}
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w+\}|</?\w+")
SHOWN = re.compile(r"""\b(?:alt|title|placeholder|aria-label|content)=["']([^"']*)["']""")
NAMES = {"Curblight", "Stripe", "gz", "PDF", "CSV", "XLSX", "UTC", "h", "dt", "ms", "m"}


def catalogue(language: str) -> Path:
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po"


def texts(language: str) -> dict[object, str]:
    return {
        key: text for key, text in compiled(catalogue(language).with_suffix(".mo")).items() if key
    }


def compiled(file: Path) -> dict[object, str]:
    with file.open("rb") as opened:
        found: dict[object, str] = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_untranslated_or_guessed(language: str) -> None:
    said = subprocess.run(
        [
            "msgfmt",
            "--check-format",
            "--check-domain",
            "--statistics",
            "-o",
            "/dev/null",
            catalogue(language),
        ],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert said.returncode == 0, said.stderr
    assert re.fullmatch(r"\d+ translated messages\.\n", said.stderr), said.stderr


def test_texts_of_libraries_are_theirs_and_what_people_read_is_ours() -> None:
    [ours] = [Path(folder) for folder in settings.LOCALE_PATHS if "libraries" in str(folder)]
    theirs: set[object] = set()
    for library in (allauth, django):
        for file in Path(str(library.__file__)).parent.glob("**/locale/fa/LC_MESSAGES/django.mo"):
            theirs |= {msgid for msgid in compiled(file) if msgid}
    polite = compiled(ours / "fa" / "LC_MESSAGES" / "django.mo")
    assert len(polite) > 30
    assert {msgid for msgid in polite if msgid} <= theirs, "a library has changed its text"
    with translation.override("fa"):
        for msgid, text in polite.items():
            if msgid and isinstance(msgid, str):
                assert translation.gettext(msgid) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_as_many_forms_as_the_language(language: str) -> None:
    forms = {key for key in texts(language) if isinstance(key, tuple)}
    assert forms
    for msgid in {key[0] for key in forms}:
        assert {n for text, n in forms if text == msgid} == set(range(PLURALS[language])), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    broken = []
    for key, text in texts(language).items():
        if isinstance(key, tuple):
            continue  # singular and plural differ; msgfmt knows which
        msgid = str(key).rpartition("\x04")[2]
        if Counter(PLACEHOLDER.findall(msgid)) != Counter(PLACEHOLDER.findall(text)):
            broken.append((msgid, text))
    assert broken == []


def untold(source: str) -> list[str]:
    """Return the words of a template that people see and that gettext never does."""
    found, depth = "", 0
    source = re.sub(
        r"{% block main_class %}.*?{% endblock main_class %}", "", source
    )  # a name of a style
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK:
            word = token.contents.split()[0]
            if word in {"blocktranslate", "blocktrans"} or word == "comment":
                depth += 1
            depth -= word in {"endblocktranslate", "endblocktrans", "endcomment"}
            found += "\x01"
        elif token.token_type == TokenType.VAR:
            found += "\x01"
        elif not depth and token.token_type == TokenType.TEXT:
            found += token.contents
    found = re.sub(r"<(script|style|code|title)\b.*?</\1>", " ", found, flags=re.DOTALL)
    shown = SHOWN.findall(re.sub(r"<(meta|link)\b[^>]*>", "", found))
    visible = re.sub(r"<[^>]*>|&\w+;", " ", found)
    words = re.findall(r"[A-Za-z]{2,}", " ".join([visible, *shown]))
    return [word for word in words if word not in NAMES]


def test_every_text_of_a_template_can_be_translated() -> None:
    found = {
        str(path.relative_to(settings.BASE_DIR)): words
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if path.name != "style_guide.html"  # for those who build the site, and in a demonstration
        if (words := untold(path.read_text()))
    }
    assert found == {}


def test_words_outside_of_gettext_are_seen() -> None:
    assert (
        untold(
            '<p>{% translate "Fine" %} {{ x }}</p>{% blocktranslate %}Also{% endblocktranslate %}'
        )
        == []
    )
    assert untold("<p>Pay {{ x }}</p>") == ["Pay"]
    assert untold('<img alt="Lamp">') == ["Lamp"]
