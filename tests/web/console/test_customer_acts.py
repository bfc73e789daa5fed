"""What support staff do for one customer counts before the next message, and is on record with their name."""

from typing import Any

import httpx
import pytest
from console_visiting import Visiting
from shop import Shop, at, playbook, step

from automation.customers.suppress import suppress_address
from automation.database.schema import audit_log, consents, suppressions
from automation.delivery.hooks import InboundText
from automation.delivery.outcomes.review import texts_of
from automation.delivery.outcomes.texts import hear
from automation.delivery.verify import verify

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
LATER = "2026-03-05T12:00:00Z"
EMAIL, NUMBER = "ada@example.com", "+12015550123"


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Ada got a mail and a text yesterday; another of each waits for later."""
    two = step("one", late_by="30 days") + step("two", after="3 days", late_by="30 days")
    texts = step("one", "hello/text", "sms", late_by="30 days")
    texts += step("two", "hello/text", "sms", after="3 days", late_by="30 days")
    shop.write(hello=playbook(two, topic="offers"), texts=playbook(texts, topic="offers"))
    shop.customers("ada")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["sent"] == 2
    return shop


def act(console: Visiting, name: str, **fields: str) -> httpx.Response:
    data = {"id": "ada", "reason": "she called", **fields}
    return console.signed_in("support").post(f"/customer/{name}", data=data)


def done(console: Visiting, name: str, **fields: str) -> str:
    """What the next page says was done."""
    answer = act(console, name, **fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/customer?id=ada&told=customer.")
    page = console.signed_in("support").get(answer.headers["location"])
    assert page.status_code == 200
    return page.text.partition('role="status">')[2].partition("<")[0]


def sent(shop: Shop) -> dict[str, Any]:
    """Of each channel, what became of what waited."""
    shop.send(LATER)
    return {row.channel: (row.status, row.reason) for row in shop.rows() if row.step == "two"}


def noted(shop: Shop) -> list[tuple[str, str, str, str]]:
    return [(row.actor, row.act, row.about, row.note) for row in shop.rows(audit_log)]


def test_an_unsubscribe_ends_the_channel(console: Visiting, lived: Shop) -> None:
    assert "unsubscribed from the channel" in done(console, "unsubscribe", channel="email", topic="*")
    assert sent(lived) == {"email": ("skipped", "no_consent"), "sms": ("sent", None)}
    assert noted(lived) == [("support", "consent_withdrawn", "customer:ada", "she called")]
    assert verify(lived.database, lived.settings).ok


def test_an_unsubscribe_from_a_topic_is_about_the_topic(console: Visiting, lived: Shop) -> None:
    assert "unsubscribed from the topic" in done(console, "unsubscribe", channel="sms", topic="offers")
    newest = lived.rows(consents)[-1]
    assert (newest.channel, newest.topic, newest.granted, newest.actor) == ("sms", "offers", False, "support")
    assert sent(lived) == {"email": ("sent", None), "sms": ("skipped", "no_consent")}


def test_a_consent_is_kept_with_its_basis_and_wording_and_undoes_their_own_stop(console: Visiting, lived: Shop) -> None:
    done(console, "unsubscribe", channel="email", topic="*")
    with lived.database.writing() as connection:
        suppress_address(connection, "email", EMAIL, "unsubscribed", "link", at(NOON1))
    words = "Yes, please:\r\nall of it"
    assert "on record" in done(console, "consent", channel="email", topic="*", basis="form", wording=words)
    newest = lived.rows(consents)[-1]
    assert (newest.granted, newest.basis, newest.wording) == (True, "form", "Yes, please:\nall of it")
    assert sent(lived)["email"] == ("sent", None)


def test_a_consent_does_not_reopen_an_address_from_which_messages_came_back(console: Visiting, lived: Shop) -> None:
    with lived.database.writing() as connection:
        suppress_address(connection, "email", EMAIL, "bounced_hard", "postmark", at(NOON1))
    told = done(console, "consent", channel="email", topic="*", basis="told", wording="Yes")
    assert "because the address is closed" in told
    assert sent(lived)["email"] == ("skipped", "suppressed_address")


def test_an_address_is_closed_and_reopened(console: Visiting, lived: Shop) -> None:
    assert "closed" in done(console, "suppress", channel="email")
    assert lived.rows(suppressions)[0].reason == "by_hand"
    page = console.signed_in("support").get("/customer", params={"id": "ada"}).text
    assert "Closed by one of us" in page
    assert "open again" in done(console, "lift", channel="email")
    assert [row[1] for row in noted(lived)] == ["close_email", "reopen_email"]
    assert sent(lived)["email"] == ("sent", None)


def test_a_closed_address_gets_nothing(console: Visiting, lived: Shop) -> None:
    done(console, "suppress", channel="sms")
    assert sent(lived) == {"email": ("sent", None), "sms": ("skipped", "suppressed_address")}


def test_after_a_bounce_somebody_has_to_be_sure_and_after_a_complaint_it_stays(console: Visiting, lived: Shop) -> None:
    with lived.database.writing() as connection:
        suppress_address(connection, "email", EMAIL, "bounced_hard", "postmark", at(NOON1))
        suppress_address(connection, "sms", NUMBER, "complained", "twilio", at(NOON1))
    refused = act(console, "lift", channel="email")
    assert (refused.status_code, "make sure" in refused.text) == (422, True)
    assert "The provider may still" in done(console, "lift", channel="email", sure="yes")
    assert act(console, "lift", channel="sms", sure="yes").status_code == 422
    assert "Reopen an address" not in console.signed_in("support").get("/customer", params={"id": "ada"}).text
    assert sent(lived) == {"email": ("sent", None), "sms": ("skipped", "suppressed_address")}


def test_a_pause_for_one_person_holds_what_is_due_until_it_ends(console: Visiting, lived: Shop) -> None:
    assert "paused" in done(console, "pause")
    assert sent(lived)["email"] == ("planned", "customer_paused")
    done(console, "suppress", channel="sms")
    page = console.signed_in("support").get("/customer", params={"id": "ada"}).text
    assert "End the pause" in page
    assert "Everything to them is paused since" in page
    assert "over" in done(console, "resume")
    lived.send("2026-03-05T13:00:00Z")
    assert [row[1] for row in noted(lived)] == ["pause", "close_sms", "resume"]
    assert sent(lived)["email"] == ("sent", None)


def test_a_pause_can_end_by_itself_at_the_beginning_of_a_day(console: Visiting, lived: Shop) -> None:
    done(console, "pause", until="2026-03-05")
    assert sent(lived)["email"] == ("sent", None)
    assert lived.rows(audit_log)[0].until == at("2026-03-04T23:00:00Z")


@pytest.mark.parametrize("verdict", ["stop", "keep"])
def test_a_suspected_text_is_reviewed_where_it_is_read(console: Visiting, lived: Shop, verdict: str) -> None:
    with lived.database.writing() as connection:
        hear(connection, lived.settings, "sandbox_sms", InboundText("t", NUMBER, "+15550100", "please stop"), at(NOON1))
        (text,) = texts_of(connection, "ada")
    page = console.signed_in("support").get("/customer", params={"id": "ada"}).text
    assert "Did this text mean stop?" in page
    told = done(console, "review", number=str(text.number), verdict=verdict)
    words, became = {
        "stop": ("The text counts as a stop: no more texts go there.", ("skipped", "suppressed_address")),
        "keep": ("Texts to them go on.", ("sent", None)),
    }[verdict]
    assert (told, sent(lived)["sms"]) == (words, became)
    assert act(console, "review", number=str(text.number), verdict=verdict).status_code == 422


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("unsubscribe", {"channel": "email", "reason": "  "}, "Say why"),
        ("suppress", {"channel": "email", "reason": ""}, "Say why"),
        ("pause", {"reason": "a\0b"}, "cannot be kept"),
        ("pause", {"reason": "x" * 1001}, "1000 characters"),
        ("unsubscribe", {"channel": "email", "topic": "offrs"}, "did you mean"),
        ("consent", {"channel": "email", "basis": "told", "wording": " "}, "wording"),
        ("consent", {"channel": "email", "basis": "guess", "wording": "Yes"}, "no basis"),
        ("pause", {"until": "soon"}, "is no day"),
        ("pause", {"until": "0001-01-01"}, "is no day"),
        ("pause", {"until": "2026-03-03"}, "a day to come"),
        ("resume", {}, "is not paused"),
        ("lift", {"channel": "email"}, "not closed"),
        ("review", {"number": "7", "verdict": "stop"}, "not one of this customer"),
    ],
)
def test_what_cannot_be_done_is_told_on_the_page_and_changes_nothing(
    console: Visiting, lived: Shop, name: str, fields: dict[str, str], problem: str
) -> None:
    before = lived.rows(consents)
    answer = act(console, name, **fields)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert problem in answer.text.partition('role="alert">')[2].partition("</p>")[0]
    assert (noted(lived), lived.rows(suppressions), lived.rows(consents)) == ([], [], before)


@pytest.mark.parametrize("name", ["unsubscribe", "consent", "suppress", "lift", "pause", "resume", "review"])
def test_of_a_customer_who_is_not_there_nothing_is_done(console: Visiting, lived: Shop, name: str) -> None:
    more = {"channel": "email", "basis": "told", "wording": "Yes", "number": "1", "verdict": "stop"}
    for customer_id in ("nobody", "a\0b"):
        assert act(console, name, **more, id=customer_id).status_code == 404
    assert noted(lived) == []


@pytest.mark.parametrize("fields", [{"channel": "fax"}, {}, {"channel": "email", "id": ""}])
def test_a_form_that_is_not_ours_is_not_read(console: Visiting, lived: Shop, fields: dict[str, str]) -> None:
    assert act(console, "suppress", **fields).status_code in {400, 404}
    assert noted(lived) == []


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_others_cannot_act_even_if_they_know_how(console: Visiting, lived: Shop, role: str) -> None:
    data = {"id": "ada", "reason": "fun", "channel": "email", "number": "1", "verdict": "stop"}
    for name in ("unsubscribe", "consent", "suppress", "lift", "pause", "resume", "review"):
        assert console.signed_in(role).post(f"/customer/{name}", data=data).status_code == 403
    assert noted(lived) == []


def test_what_was_typed_is_still_there_when_it_cannot_be_done(console: Visiting, lived: Shop) -> None:  # noqa: ARG001 (who it is about)
    said = {"channel": "sms", "topic": "offers", "basis": "written", "reason": 'she "called"'}
    answer = act(console, "consent", wording=" ", **said)
    assert answer.status_code == 422
    assert "wording: say what the customer agreed to" in answer.text
    form = answer.text.partition("<details open>")[2].partition("</details>")[0]
    assert "Record a consent" in form
    for one in ('value="sms" selected', 'value="offers" selected', 'value="written" selected', "she &#34;called&#34;"):
        assert one in form
    assert answer.text.count("<details open>") == 1
    page = console.signed_in("support").get("/customer", params={"id": "ada"}).text
    assert "she &#34;called" not in page
