"""What support staff type when a customer has told them something."""

from pathlib import Path
from typing import Any

import pytest
from shop import Shop, at, playbook, step
from typed import Run

from automation.customers.suppress import suppress_address
from automation.database.schema import audit_log, consents, suppressions
from automation.delivery.hooks import InboundText
from automation.delivery.outcomes.texts import hear

DAY1, NOON = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
NUMBER = "+12015550123"


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms", late_by="300 days"), topic="offers"))
    shop.customers("ada")
    shop.evaluate(DAY1)


def config(shop: Shop) -> tuple[str, str]:
    return "--config", str(shop.folder / "config.toml")


def said(shop: Shop) -> Any:
    newest = shop.rows(consents)[-1]
    return (newest.channel, newest.topic, newest.granted, newest.basis, newest.wording, newest.actor)


def test_a_no_is_on_the_record_and_heeded(shop: Shop, run: Run) -> None:
    done = run("consent", "ada", "sms", "no", "--by", "Bea", "--note", "by phone", *config(shop))
    assert (done.code, done.out.strip()) == (0, "ada said no to sms")
    assert said(shop) == ("sms", "*", False, "withdrawn", None, "Bea")
    assert shop.send(NOON)["skipped"] == {"no_consent": 1}
    assert [(row.actor, row.act, row.about, row.note) for row in shop.rows(audit_log)] == [
        ("Bea", "consent_withdrawn", "customer:ada", "by phone")
    ]


def test_a_yes_keeps_what_the_customer_agreed_to_and_lifts_what_they_had_stopped_themselves(
    shop: Shop, run: Run
) -> None:
    with shop.database.writing() as connection:
        suppress_address(connection, "sms", NUMBER, "unsubscribed", "test", at(DAY1))
        suppress_address(connection, "email", "ada@example.com", "bounced_hard", "test", at(DAY1))
    words = "Yes, text me about offers"
    for channel in ("sms", "email"):
        told = run("consent", "ada", channel, "yes", "--by", "Bea", "--wording", words, "--json", *config(shop))
        closed = "bounced_hard" if channel == "email" else None
        assert told.json == {"customer_id": "ada", "channel": channel, "topic": "*", "granted": True, "closed": closed}
    assert said(shop) == ("email", "*", True, "told", words, "Bea")
    assert [row.reason for row in shop.rows(suppressions)] == ["bounced_hard"]
    assert shop.send(NOON)["sent"] == 1


def test_a_no_to_one_topic_leaves_the_others(shop: Shop, run: Run) -> None:
    shop.write(ask=playbook(topic="surveys"))
    run("consent", "ada", "sms", "no", "--topic", "surveys", "--by", "Bea", *config(shop))
    assert shop.send(NOON)["sent"] == 1
    run("consent", "ada", "sms", "no", "--topic", "offers", "--by", "Bea", *config(shop))
    assert said(shop)[:3] == ("sms", "offers", False)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("ada", "sms", "yes", "--by", "Bea"), "wording:"),
        (("ada", "sms", "yes", "--by", "Bea", "--wording", " "), "wording:"),
        (("ada", "sms", "no", "--by", " "), "--by"),
        (("ada", "sms", "no", "--by", "Bea", "--topic", "offrs"), 'did you mean "offers"'),
        (("ada", "sms", "no", "--by", "Bea", "--topic", ""), "--topic"),
        (("nobody", "sms", "no", "--by", "Bea"), "nobody"),
        (("a\0b", "sms", "no", "--by", "Bea"), "customer"),
        (("ada", "fax", "no", "--by", "Bea"), "fax"),
        (("ada", "sms", "perhaps", "--by", "Bea"), "perhaps"),
    ],
)
def test_what_cannot_be_recorded_changes_nothing(shop: Shop, run: Run, words: tuple[str, ...], problem: str) -> None:
    before = shop.rows(consents)
    done = run("consent", *words, *config(shop))
    assert done.code in {1, 2}
    assert problem in done.err
    assert (shop.rows(consents), shop.rows(audit_log)) == (before, [])


def came(shop: Shop, words: str, key: str = "t-1") -> None:
    with shop.database.writing() as connection:
        hear(connection, shop.settings, "sandbox_sms", InboundText(key, NUMBER, "+15550100", words), at(NOON))


def test_texts_are_listed_without_the_whole_number_and_reviewed_by_a_person(shop: Shop, run: Run) -> None:
    shop.send(NOON)
    assert "no text came in yet" in run("texts", *config(shop)).out
    came(shop, "Please\nstop")
    listed = run("texts", *config(shop))
    assert "Please stop" in listed.out
    assert NUMBER not in listed.out
    waiting = run("texts", "--review", "--json", *config(shop)).json
    assert (waiting["customer_id"], waiting["meaning"], waiting["verdict"]) == ("ada", "suspected", None)
    done = run("review", str(waiting["number"]), "stop", "--by", "Bea", *config(shop))
    assert "no more texts go to them" in done.out
    assert "no text waits for a review" in run("texts", "--review", *config(shop)).out
    again = run("review", str(waiting["number"]), "keep", "--by", "Bea", *config(shop))
    assert (again.code, "reviewed before: stop" in again.err) == (2, True)


def test_one_customers_screen_has_their_texts_and_what_they_agreed_to(shop: Shop, run: Run) -> None:
    shop.send(NOON)
    came(shop, "START")
    told = run("customer", "ada", "--json", *config(shop)).json
    assert [(one["text"], one["meaning"]) for one in told["texts"]] == [("START", "start")]
    assert told["consents"][-1]["wording"] == "START"
    shown = run("customer", "ada", *config(shop)).out
    assert "texts from them" in shown
    earlier = run("customer", "ada", "--now", DAY1, "--json", *config(shop)).json
    assert earlier["texts"] == []


def test_an_import_says_what_its_consents_rest_on(shop: Shop, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "buyers.csv"
    file.write_text(
        "id,email,phone,country,email_consent,sms_consent\n"
        "it1,it1@example.com,+393400000001,IT,yes,\n"
        "it2,it2@example.com,+393400000002,,yes,yes\n"
        "pl1,pl1@example.com,,PL,yes,\n"
        "xx1,xx1@example.com,,,yes,\n"
        "de1,de1@example.com,+4915123456789,DE,yes,yes\n"
    )
    words = ("--basis", "soft_opt_in", "--wording", "You may get mail about similar goods.")
    done = run("import", "customers", str(file), *words, "--json", *config(shop)).json
    assert (done["created"], done["rejected"]) == (2, 3)
    kept = [(row.customer_id, row.channel, row.basis, row.wording) for row in shop.rows(consents)]
    wording = words[-1]
    assert {one for one in kept if one[0] != "ada"} == {
        ("it1", "email", "soft_opt_in", wording),
        ("de1", "email", "soft_opt_in", wording),
        ("de1", "sms", "soft_opt_in", wording),
    }
    rejects = (tmp_path / "buyers.csv.rejects.csv").read_text()
    assert "in IT a soft opt-in is no permission for sms" in rejects
    assert "in PL a soft opt-in is no permission for email" in rejects
    assert "where the country is not known" in rejects
