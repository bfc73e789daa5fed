"""How playbooks stand: who may enter, who stopped them, and what is kept of them."""

from typing import Any

import pytest
from shop import Shop, at, playbook

from automation.clock import local_date
from automation.delivery.answers.playbook_history import ever_used, version_text, versions_of
from automation.delivery.answers.playbook_state import Pause, State, pauses_of_playbooks, state_of
from automation.delivery.health import by_hand
from automation.delivery.health.pauses import pause
from automation.playbooks.load import read_draft

NOW, LATER = "2026-01-05T10:00:00Z", "2026-01-06T10:00:00Z"


def stands(shop: Shop, key: str = "care", now: str = NOW) -> State:
    with shop.database.reading() as connection:
        paused = pauses_of_playbooks(connection, at(now)).get(key)
    return state_of(read_draft(shop.settings), key, local_date(at(now), shop.settings.business.zone), paused)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({}, "active"),
        ({"active": False}, "off"),
        ({"stages": ["advocate"]}, "idle"),
        ({"stages": ["nowhere"]}, "broken"),
    ],
)
def test_a_playbooks_file_tells_whether_anybody_may_enter(shop: Shop, keys: dict[str, Any], word: str) -> None:
    shop.write(care=playbook(**keys))
    assert stands(shop) == State(word)  # type: ignore[arg-type]


def test_a_playbook_has_a_first_and_a_last_day(shop: Shop) -> None:
    shop.write(care="starts = 2026-01-05\nends = 2026-01-05\n" + playbook())
    words = [stands(shop, now=f"2026-01-0{day}T10:00:00Z").word for day in (4, 5, 6)]
    assert words == ["not_started", "active", "ended"]


def test_a_file_that_is_no_toml_is_broken_and_one_that_is_not_there_is_gone(shop: Shop) -> None:
    shop.write(care=playbook() + "[[", other=playbook())
    assert [stands(shop, key).word for key in ("care", "other", "never")] == ["broken", "active", "gone"]


def test_whoever_paused_it_is_named(shop: Shop) -> None:
    shop.write(care=playbook(), more=playbook())
    with shop.database.writing() as connection:
        by_hand.pause(connection, "playbook:care", "Maria", "the price is wrong", at(LATER), at(NOW))
        by_hand.pause(connection, "playbook:more", "Maria", "", None, at(NOW))
    assert stands(shop) == State("paused", Pause("Maria", "the price is wrong", at(NOW), at(LATER)))
    assert stands(shop, "more").pause == Pause("Maria", "paused by Maria", at(NOW), None)
    assert stands(shop, now=LATER) == State("active")
    with shop.database.writing() as connection:
        by_hand.resume(connection, "playbook:more", "Otto", "mended", at(LATER))
    assert stands(shop, "more") == State("active")


def test_a_playbook_stopped_by_refusals_is_held_by_nobody(shop: Shop) -> None:
    shop.write(care=playbook())
    with shop.database.writing() as connection:
        by_hand.pause(connection, "playbook:care", "Maria", "for a day", at(LATER), at(NOW))
        pause(connection, "playbook:care", "10 of its last 50 messages were refused", at(NOW), None)
    found = stands(shop)
    assert found.word == "held"
    assert found.pause is not None
    assert (found.pause.by, found.pause.until) == (None, None)


def test_a_pause_is_told_even_of_a_playbook_that_is_switched_off(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    with shop.database.writing() as connection:
        by_hand.pause(connection, "playbook:care", "Maria", "why", None, at(NOW))
    found = stands(shop)
    assert (found.word, found.pause is not None) == ("off", True)


def test_every_text_that_a_playbook_used_is_kept(shop: Shop) -> None:
    shop.write(care=playbook(name="Before"), other=playbook())
    shop.evaluate(NOW)
    shop.write(care=playbook(name="After"))
    shop.evaluate(LATER)
    with shop.database.reading() as connection:
        newest, oldest = versions_of(connection, "care")
        assert (newest.first_used_at, oldest.first_used_at) == (at(LATER), at(NOW))
        text = version_text(connection, "care", oldest.version_id)
        assert text is not None
        assert 'name = "Before"' in text["playbook"]
        assert [one["name"] for one in text["templates"]] == ["hello/hello"]
        assert version_text(connection, "other", oldest.version_id) is None
        assert ever_used(connection) == {"care", "other"}
