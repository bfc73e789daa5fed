"""Mailjet, asked afterwards for a message of ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outgoing import json_answer

from automation.delivery.providers import ADAPTERS, Account, LookUp
from automation.delivery.providers.mailjet import Mailjet
from automation.delivery.replies import Answer
from automation.delivery.sought import Found, NoIdea, NotThere, Sought

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MAILJET = Mailjet()
KEY = "0123456789abcdef" * 2
ACCOUNT = Account("https://api.mailjet.com", "secret", KEY)
SOUGHT = Sought(7, "marketing", "ada@example.com", "", NOW, NOW + timedelta(seconds=30))
HTML = {"content-type": "text/html"}
LARGE = 1152921519812251571  # more than fits into a floating-point number


def test_a_message_is_looked_up_by_our_own_id() -> None:
    assert isinstance(ADAPTERS["mailjet"], LookUp)
    request = MAILJET.look_up(SOUGHT, ACCOUNT)
    assert (request.method, request.url.path) == ("GET", "/v3/REST/message")
    assert dict(request.url.params) == {
        "CustomID": "7",
        "FromTS": "2026-03-01T08:59:30Z",
        "Limit": "100",
        "ShowCustomID": "true",
        "ShowContactAlt": "true",
    }
    assert request.headers["authorization"].startswith("Basic ")


def data(*items: Any) -> Answer:
    return json_answer(200, {"Count": len(items), "Data": list(items), "Total": len(items)})


def test_our_id_to_our_recipient_proves_that_it_was_taken() -> None:
    another = {"ID": 1, "CustomID": "7", "ContactAlt": "eve@example.com"}
    ours = {"ID": LARGE, "CustomID": "7", "ContactAlt": "Ada@example.com"}
    assert MAILJET.found(data("?", another, ours), SOUGHT) == Found(str(LARGE))
    assert MAILJET.found(data({**ours, "ID": "1234567890987654321"}), SOUGHT) == Found("1234567890987654321")


@pytest.mark.parametrize(
    "changes", [{"CustomID": "77"}, {"CustomID": ""}, {"ContactAlt": ""}, {"ContactAlt": None}, {"ID": None}]
)
def test_what_is_not_certainly_ours_proves_nothing(changes: dict[str, Any]) -> None:
    ours = {"ID": LARGE, "CustomID": "7", "ContactAlt": "ada@example.com"}
    assert MAILJET.found(data({**ours, **changes}), SOUGHT) == NotThere()
    assert MAILJET.found(data(), SOUGHT) == NotThere()


@pytest.mark.parametrize("answer", [json_answer(401, {}), json_answer(200, {}), Answer(200, HTML, b"<h1>")])
def test_an_answer_that_is_none_gives_no_idea(answer: Answer) -> None:
    assert isinstance(MAILJET.found(answer, SOUGHT), NoIdea)
