"""The layout that comes with the product, and the guide's own examples."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from automation.messages.check import check_template
from automation.messages.render import Content, RenderContext, render
from automation.messages.sources import Kind
from automation.messages.templates import TemplateSource, compile_template

TEMPLATES = Path(__file__).parents[2] / "templates"
LAYOUT = (TEMPLATES / "_layouts/default.mjml").read_text(encoding="utf-8")
FACTS = {"orders": "number", "last_order": "instant", "revenue": "number", "nps": "number"}
EXAMPLES = re.findall(
    r"^```(md|mjml|txt)\n(.*?)^```", (TEMPLATES / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def email(locale: str = "en") -> Content:
    text = "+++\nsubject = 'Hi'\npreheader = 'Seen in the list'\n+++\nHello & welcome\n"
    template = compile_template(TemplateSource("a/b", locale, "md", text, LAYOUT))
    context = RenderContext(
        customer={"id": "c1"},
        facts={},
        stage="purchase",
        offer={"code": "A-1", "expires": datetime(2026, 3, 1, tzinfo=UTC)},
        business={
            "name": "Example Shop",
            "postal_address": "Via Esempio 1, Milano",
            "public_url": "https://shop.example",
        },
        unsubscribe_url="https://shop.example/u/1?a=1&b=2",
        preferences_url="https://shop.example/p/1",
        locale=locale,
        zone=ZoneInfo("Europe/Rome"),
        campaign="win_back",
    )
    return render(template, context)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_every_example_of_the_guide_is_valid(kind: Kind, text: str) -> None:
    source = TemplateSource("a/b", "pl" if "Masz" in text else "en", kind, text, None if kind == "txt" else LAYOUT)
    assert check_template(source, FACTS, None) == []


def test_the_guide_has_an_example_of_each_kind_of_file() -> None:
    assert {kind for kind, _ in EXAMPLES} == {"md", "mjml", "txt"}


def test_both_parts_of_an_email_show_address_and_unsubscribe_link() -> None:
    content = email()
    assert "Via Esempio 1, Milano" in content.html
    assert 'href="https://shop.example/u/1?a=1&amp;b=2"' in content.html
    assert "Example Shop, Via Esempio 1, Milano" in content.text
    assert "Unsubscribe <https://shop.example/u/1?a=1&b=2>" in content.text
    assert "Email preferences <https://shop.example/p/1>" in content.text


def test_an_email_fetches_nothing_when_it_is_opened() -> None:
    assert not re.search(r"<img|<link|src=|url\(|@import", email().html)


def test_an_email_adapts_to_a_dark_screen_and_names_its_language() -> None:
    html = email("pl").html
    assert "prefers-color-scheme: dark" in html
    assert '<html lang="pl"' in html
    assert 'name="color-scheme" content="light dark"' in html


@pytest.mark.parametrize(
    ("locale", "words"), [("pl-PL", "Wypisz się"), ("it", "Annulla l’iscrizione"), ("sv", "Unsubscribe")]
)
def test_the_footer_speaks_the_language_of_the_template(locale: str, words: str) -> None:
    assert words in email(locale).text


def test_the_preheader_is_hidden_in_html_and_absent_from_the_text() -> None:
    content = email()
    assert re.search(r"display:\s*none[^>]*>Seen in the list<", content.html)
    assert "Seen in the list" not in content.text


def test_the_text_part_has_no_trace_of_the_layout() -> None:
    assert email().text.splitlines()[:4] == ["Example Shop", "", "Hello & welcome", ""]
    assert not re.search(r"^[ \t]|[ \t]$|\n\n\n", email().text, re.MULTILINE)
