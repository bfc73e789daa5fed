"""What becomes of a message is decided by what it is, and by nothing else."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from automation.delivery.outcomes.at_home import SANDBOX_KEYS, key_of
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling.ears import ears_of
from automation.delivery.sandbox.telling.keys import public_keys
from automation.delivery.sandbox.telling.story import BY_HAND, MAILS, TEXTS, story
from automation.settings import Provider, Settings
from automation.settings.sections import Business


def message(recipient: str, mid: str = "7", provider_id: str = "p-1") -> Taken:
    empty = dict.fromkeys(Taken._fields, "")
    return Taken(**{**empty, "kind": "postmark", "recipient": recipient, "mid": mid, "provider_id": provider_id})


def outcomes(recipient: str, mid: str = "7", seed: str = "s") -> tuple[str, ...]:
    return tuple(turn.outcome for turn in story(message(recipient, mid), seed))


@pytest.mark.parametrize(("local", "expected"), MAILS.items())
@pytest.mark.parametrize("written", ["{}@example.com", "{}+7@example.org", "{}@EXAMPLE.com"])
def test_some_names_always_get_the_same(written: str, local: str, expected: tuple[str, ...]) -> None:
    assert {outcomes(written.format(local), str(mid)) for mid in range(20)} == {expected}
    assert {outcomes(written.format(local.upper()), str(mid)) for mid in range(3)} == {expected}


@pytest.mark.parametrize(("suffix", "expected"), TEXTS.items())
def test_some_numbers_always_get_the_same(suffix: str, expected: tuple[str, ...]) -> None:
    assert {outcomes(f"+1201555{suffix}", str(mid)) for mid in range(20)} == {expected}


def test_whoever_answers_a_text_answers_stop() -> None:
    assert [(turn.outcome, turn.text) for turn in story(message("+12015559002"), "s")] == [
        ("delivered", ""),
        ("inbound", "STOP"),
    ]


def test_the_same_message_has_the_same_story_under_whatever_id_the_provider_gives_it() -> None:
    told = {tuple(story(message("ada@example.com", "7", f"p-{at}"), "s")) for at in range(10)}
    assert len(told) == 1
    assert len({tuple(story(message("ada@example.com", "", f"p-{at}"), "s")) for at in range(10)}) > 1


@pytest.mark.parametrize(("recipient", "usual"), [("ada@example.com", 0.6), ("+12015550123", 0.9)])
def test_most_are_delivered_and_few_are_not(recipient: str, usual: float) -> None:
    ends = Counter(outcomes(recipient, str(mid))[-1] for mid in range(5000))
    assert ends["delivered"] > usual * 5000
    assert 0 < ends["bounced_hard"] < 0.03 * 5000
    assert set(ends) <= set(BY_HAND)
    assert outcomes(recipient, "1", "s") == outcomes(recipient, "1", "s")
    assert any(outcomes(recipient, str(mid), "s") != outcomes(recipient, str(mid), "other") for mid in range(500))


def test_one_thing_happens_after_the_other_within_minutes() -> None:
    for mid in range(200):
        times = [turn.after for turn in story(message("click@example.com", str(mid)), "s")]
        assert timedelta(seconds=1) <= times[0] < times[1] < times[2] < timedelta(minutes=3)


def settings(public_url: str = "http://127.0.0.1:8000", /, **providers: Provider) -> Settings:
    return Settings(business=Business(public_url=public_url), providers=providers, root=Path())


SANDBOX = "http://127.0.0.1:8025"


def test_whoever_posts_to_this_sandbox_listens_to_it() -> None:
    found = ears_of(
        settings(
            mine=Provider(kind="postmark", base_url=SANDBOX),
            second=Provider(kind="postmark", base_url=SANDBOX),
            other=Provider(kind="resend", base_url="http://127.0.0.1:8026"),
            real=Provider(kind="sendgrid"),
            mute=Provider(kind="mailpit", base_url=SANDBOX),
        ),
        8025,
    )
    assert {kind: ear.url for kind, ear in found.items()} == {"postmark": "http://127.0.0.1:8000/hooks/mine"}


def test_the_sandboxs_keys_are_believed_only_where_both_sides_are_on_this_machine() -> None:
    assert public_keys() == SANDBOX_KEYS
    providers = {"home": Provider(kind="sendgrid", base_url=SANDBOX), "away": Provider(kind="sendgrid")}
    at_home, elsewhere = (settings(url, **providers) for url in ("http://localhost:8000", "https://shop.example"))
    assert key_of(at_home, "home").public == SANDBOX_KEYS["sendgrid"]
    for key in (key_of(at_home, "away"), key_of(elsewhere, "home"), key_of(elsewhere, "away")):
        assert (key.token, key.secret, key.public) == (None, None, None)


def test_what_is_configured_goes_before_the_sandboxs_own() -> None:
    mine = Provider.model_validate(
        {"kind": "sendgrid", "base_url": SANDBOX, "webhook_key": "k", "webhook_secret": "s", "token": "t"}
    )
    key = key_of(settings(mine=mine), "mine")
    assert (key.token, key.secret, key.public) == ("t", "s", "k")
