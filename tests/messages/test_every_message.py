"""Every message that is shipped, in every language, for a customer of whom all is known and for one of whom little is.

What they look like stands in `every_message/`; after a change on purpose, `EVERY_MESSAGE=write pytest <this file>`
writes it anew, and the difference is read before it is committed.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automation.customers.facts.definition import Fact, read_definitions
from automation.messages.render import RenderContext, render
from automation.messages.sms import segments
from automation.messages.sources import read_sources
from automation.messages.templates import Content, compile_template
from automation.regions.words import meaning_of
from automation.tomlfile import read_toml

ROOT, WRITTEN = Path(__file__).parents[2], Path(__file__).with_name("every_message")
TEMPLATES = ROOT / "templates"
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.toml") if path.stem != "facts")
LOCALES = ("en", "it", "pl", "ru", "zh")
NAMES = {"en": "Emily", "it": "Chiara", "pl": "Łucja", "ru": "Елена", "zh": "丽华"}
RICH_TEXTS = {"plan": "plus", "last_category": "kitchen", "left_because": "price"}
RICH_NUMBERS = {"csat": 5, "nps": 9, "csat_14d": 2, "nps_14d": 6, "storage_used": 92}
MOST_SEGMENTS = 2
DAY = datetime(2026, 5, 22, 10, tzinfo=UTC)
FACTS = read_definitions(read_toml(ROOT / "playbooks/facts.toml")).facts


def rich(fact: Fact) -> Any:
    numbers: Any = RICH_NUMBERS.get(fact.name, 1250 if fact.measure == "sum" else 22) if fact.attribute is None else 92
    return {"number": numbers, "text": RICH_TEXTS.get(fact.name, "x"), "boolean": True, "instant": DAY}[fact.type]


def bare() -> dict[str, Any]:
    return {fact.name: 0 for fact in FACTS if fact.attribute is None and fact.measure in {"count", "sum", "distinct"}}


def context(locale: str, playbook: str, **of_customer: Any) -> RenderContext:
    table = read_toml(ROOT / f"playbooks/{playbook}.toml").data
    return RenderContext(
        stage="loyal",
        offer={"code": "THANKS-7HK2WQ9D", "expires": DAY} if "offer" in table else None,
        business={
            "name": "Example Shop",
            "postal_address": "Via Esempio 1, 20121 Milano, Italy",
            "public_url": "http://127.0.0.1:8000",
            "contact": "help@shop.example",
        },
        unsubscribe_url="http://127.0.0.1:8000/u/AAAAAAAAAgDGZzg0XW_vVw5dVLgQhm9k",
        preferences_url="http://127.0.0.1:8000/p/AAAAAAAAAgDGZzg0XW_vVw5dVLgQhm9k",
        survey_url="http://127.0.0.1:8000/s/AAAAAAAAAgDGZzg0XW_vVw5dVLgQhm9k",
        referral={"code": "7HK2WQ9DXB", "url": "http://127.0.0.1:8000/r/7HK2WQ9DXB"},
        locale=locale,
        zone=ZoneInfo("Europe/Rome"),
        campaign=playbook,
        **of_customer,
    )


def messages(playbook: str, locale: str) -> Iterator[tuple[str, Content]]:
    """Each template of the playbook's steps and variants, rendered for both."""
    both = {
        "all is known": context(
            locale,
            playbook,
            customer={"id": "c-1", "first_name": NAMES[locale], "last_name": "Brown", "locale": locale},
            facts={fact.name: rich(fact) for fact in FACTS},
        ),
        "little is known": context(locale, playbook, customer={"id": "c-2", "locale": locale}, facts=bare()),
    }
    for name, channel in templates_of(playbook):
        template = compile_template(read_sources(TEMPLATES, name, channel)[locale])
        for who, about in both.items():
            yield f"{name}, {who}", render(template, about)


def templates_of(playbook: str) -> list[tuple[str, str]]:
    steps = read_toml(ROOT / f"playbooks/{playbook}.toml").data["steps"]
    named = [(one["template"], step["channel"]) for step in steps for one in (step, *step.get("variants", ()))]
    return list(dict.fromkeys(named))


def written_out(heading: str, content: Content) -> str:
    subject = f"{content.subject}\n\n" if content.channel == "email" else ""
    return f"=== {heading}\n{subject}{content.text}\n\n"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_message_says_what_it_said_when_somebody_last_read_it(playbook: str, locale: str) -> None:
    found = "".join(written_out(heading, content) for heading, content in messages(playbook, locale))
    path = WRITTEN / f"{playbook}.{locale}.txt"
    if os.environ.get("EVERY_MESSAGE") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_message_is_too_long_or_has_a_hole_in_it(playbook: str, locale: str) -> None:
    for heading, content in messages(playbook, locale):
        if content.channel == "sms":
            assert segments(content.text).segments <= MOST_SEGMENTS, heading
            assert any(meaning_of(word, [locale]) == "stop" for word in re.findall(r"[A-Z]+", content.text)), heading
        assert not re.search(r"None|\{\{|\}\}|\bUnset\b|, ,|\( ?\)|\S  \S", f"{content.subject} {content.text}"), (
            heading
        )
        assert content.subject == content.subject.strip()


def test_nothing_is_kept_of_messages_that_are_gone() -> None:
    assert sorted(path.name for path in WRITTEN.iterdir()) == sorted(
        f"{playbook}.{locale}.txt" for playbook in PLAYBOOKS for locale in LOCALES
    )
