"""Calls of Amazon SNS: its certificate is fetched once and seldom, and a subscription of ours is confirmed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import httpx
import loopback
import pytest
from serving import served, until
from shop import Shop, at, playbook
from signing_mails import CERTIFICATE_URL, SUBSCRIBE_URL, TOPIC, certificate, posted, sns_confirmation, sns_outer

from automation.database.hooks import hook_calls
from automation.delivery.hooks import HookCall
from automation.delivery.http import Line
from automation.delivery.replies import Answer, Failure
from automation.delivery.sandbox.telling import Ear, keys
from automation.delivery.sandbox.telling import sns as topic

NOW = "2026-03-02T12:00:00Z"


class Amazon:
    """Answers with its certificate, and keeps what it was asked for."""

    def __init__(self, content: bytes | None = None) -> None:
        self._content = content or certificate()
        self.asked: list[str] = []

    async def post(self, request: httpx.Request, *, timeout: timedelta) -> Answer | Failure:  # noqa: ASYNC109, ARG002 (the door's own words)
        self.asked.append(str(request.url))
        return Answer(200, {}, self._content)

    def door(self) -> Callable[[int], AbstractAsyncContextManager[Line]]:
        @asynccontextmanager
        async def opened(most: int) -> AsyncIterator[Line]:  # noqa: ARG001 (the signature is the door's)
            yield self

        return opened


ACCOUNT = {
    "ACCOUNT": "AKIA0000000000000000",
    "BASE_URL": "https://email.eu-west-1.amazonaws.com",
    "REGION": "eu-west-1",
    "TOKEN": "secret",
    "WEBHOOK_KEY": TOPIC,
}


@pytest.fixture
def mailing(at_home: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(f"AUTOMATION_PROVIDERS__SANDBOX_EMAIL__{name}", value)
    return at_home


@pytest.fixture
def at_home(shop: Shop) -> Shop:
    """With the sandbox in Amazon's place."""
    shop.kind = "ses"
    shop.write(care=playbook())
    return shop


def call(address: str, made: HookCall) -> int:
    url = f"{address}/hooks/sandbox_email"
    return loopback.post(url, content=made.body, headers=dict(made.headers)).status_code


def test_the_certificate_is_fetched_once_for_all_calls(mailing: Shop) -> None:
    amazon = Amazon()
    with served(mailing, NOW, door=amazon.door()) as address:
        made = posted(sns_outer({"eventType": "Delivery", "mail": {"messageId": "m-1"}}))
        assert [call(address, made) for _ in range(3)] == [204] * 3
        until(lambda: all(row.processed_at for row in mailing.rows(hook_calls)))
    assert amazon.asked == [CERTIFICATE_URL]
    assert [row.problem for row in mailing.rows(hook_calls)] == [None] * 3


def test_a_subscription_of_a_topic_of_ours_is_confirmed(mailing: Shop) -> None:
    amazon = Amazon()
    with served(mailing, NOW, door=amazon.door()) as address:
        assert call(address, posted(sns_confirmation())) == 204
    assert amazon.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]


def test_nothing_is_fetched_for_a_foreign_topic_or_from_a_foreign_address(mailing: Shop) -> None:
    amazon = Amazon()
    foreign = [
        sns_outer({}, TopicArn="arn:aws:sns:eu-west-1:999999999999:other"),
        sns_outer({}, SigningCertURL="https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"),
        sns_confirmation(SubscribeURL="https://evil.example/?Action=ConfirmSubscription"),
    ]
    with served(mailing, NOW, door=amazon.door()) as address:
        statuses = [call(address, posted(one)) for one in foreign]
    assert statuses[:2] == [401, 401]
    assert set(amazon.asked) <= {CERTIFICATE_URL}


def test_certificates_are_fetched_seldom_however_many_are_named(mailing: Shop) -> None:
    amazon = Amazon()
    with served(mailing, NOW, door=amazon.door()) as address:
        for number in range(5):
            url = CERTIFICATE_URL.replace("0123456789abcdef", str(number))
            call(address, posted(sns_outer({}, SigningCertURL=url)))
    assert len(amazon.asked) == 1


def confirmed(address: str) -> int:
    request = topic.confirmation(Ear("https://shop.example/hooks/sandbox_email"), at(NOW))
    return call(address, HookCall("POST", str(request.url), request.headers, request.content))


def test_for_a_provider_on_this_machine_that_provider_is_asked_and_not_amazon(at_home: Shop) -> None:
    amazon = Amazon(keys.certificate())
    with served(at_home, NOW, door=amazon.door()) as address:
        assert confirmed(address) == 204
    certificate, subscription = amazon.asked
    assert certificate == at_home.url + topic.CERTIFICATE_PATH
    assert subscription.startswith(f"{at_home.url}/?Action=ConfirmSubscription&TopicArn={keys.TOPIC}&Token=")


def test_the_sandboxs_certificate_and_topic_are_nobodys_elsewhere(mailing: Shop) -> None:
    amazon = Amazon(keys.certificate())
    with served(mailing, NOW, door=amazon.door()) as address:
        assert confirmed(address) == 401
    assert amazon.asked == []
