"""Each adapter's requests against the vendors' descriptions, and the sandbox against both."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from loopback import post

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account
from automation.delivery.providers.twilio import SANDBOX_SID
from automation.delivery.sandbox import SandboxServer

CONTRACTS = Path(__file__).parents[2] / ".." / "shared" / "contracts"
pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the contracts are not beside the repository")
MAIL = Outgoing(
    message_id=1,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>",
    text="Hi",
    headers={"List-Unsubscribe": "<https://shop.example/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tag="welcome",
    kind="marketing",
)
TEXT = replace(
    MAIL, channel="sms", sender="+15550100", recipient="+393331234567", headers={}, validity=timedelta(hours=1)
)
ACCOUNT = Account("http://127.0.0.1:9", "sandbox", SANDBOX_SID, callback_url="https://shop.example/twilio")
JSON = {"Content-Type": "application/json", "Accept": "application/json", "X-Postmark-Server-Token": "sandbox"}
PLAIN = {"From": "hello@example.com", "To": "ada@example.com", "Subject": "Hi", "TextBody": "Hi"}
SMS = {"To": "+393331234567", "From": "+15550100", "Body": "Hi"}


@cache
def contract(name: str, path: str) -> Draft202012Validator:
    """The validator of one operation's request body."""
    document = json.loads((CONTRACTS / name).read_text(encoding="utf-8"))
    body = document["paths"][path]["post"]["requestBody"]
    named = str(body.get("$ref", "")).rpartition("/")[2]
    (media,) = (document["components"]["requestBodies"][named] if named else body)["content"].values()
    return Draft202012Validator({**media["schema"], "components": document["components"]})


def mail_contract(path: str = "/email") -> Draft202012Validator:
    return contract("postmark-email.own.json", path)


def text_contract() -> Draft202012Validator:
    return contract("twilio-messages.json", "/2010-04-01/Accounts/{AccountSid}/Messages.json")


def fields_of(content: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = dict(parse_qsl(content.decode(), strict_parsing=True))
    return fields | ({"ValidityPeriod": int(fields["ValidityPeriod"])} if "ValidityPeriod" in fields else {})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SandboxServer() as sandbox:
        yield sandbox.url


@pytest.mark.parametrize(
    "message", [MAIL, replace(MAIL, kind="transactional"), replace(MAIL, html=""), replace(MAIL, text="", headers={})]
)
def test_a_mail_keeps_the_contract(message: Outgoing) -> None:
    mail_contract().validate(json.loads(ADAPTERS["postmark"].request([message], ACCOUNT, None).content))


def test_the_largest_batch_keeps_the_contract() -> None:
    request = ADAPTERS["postmark"].request([MAIL] * 500, ACCOUNT, None)
    mail_contract("/email/batch").validate(json.loads(request.content))


@pytest.mark.parametrize(
    "message", [MAIL, replace(MAIL, sender="hello@example.com"), replace(MAIL, html=""), replace(MAIL, text="")]
)
def test_a_mail_through_sendgrid_keeps_the_contract(message: Outgoing) -> None:
    content = json.loads(ADAPTERS["sendgrid"].request([message], ACCOUNT, None).content)
    described = contract("sendgrid-mail-send.json", "/v3/mail/send")
    fields: dict[str, Any] = described.schema["properties"]  # type: ignore[index]
    described.validate(content)
    (personalization,) = content["personalizations"]
    assert not described.is_valid({**content, "personalizations": [{**personalization, "custom_args": "7"}]})
    # The description takes what it does not know; the names are all of its own.
    assert set(content) <= set(fields)
    assert set(personalization) <= set(fields["personalizations"]["items"]["properties"])


@pytest.mark.parametrize("account", [ACCOUNT, replace(ACCOUNT, messaging_service="MG" + "0" * 32, callback_url=None)])
def test_a_text_keeps_the_contract(account: Account) -> None:
    text_contract().validate(fields_of(ADAPTERS["twilio"].request([TEXT], account, None).content))


def test_the_sandbox_takes_what_the_adapters_send(url: str) -> None:
    account = replace(ACCOUNT, base_url=url)
    mails = [("postmark", [MAIL], 200), ("postmark", [MAIL] * 500, 200), ("resend", [MAIL], 200)]
    for kind, messages, status in (*mails, ("resend", [MAIL] * 100, 200), ("twilio", [TEXT], 201)):
        request = ADAPTERS[kind].request(messages, account, None)
        answer = post(request.url, content=request.content, headers=request.headers)
        assert answer.status_code == status


BROKEN_MAILS: list[Any] = [
    {},
    [],
    "text",
    *({name: text for name, text in PLAIN.items() if name != missing} for missing in PLAIN),
    {**PLAIN, "From": ""},
    {**PLAIN, "To": ""},
    {**PLAIN, "To": None},
    {**PLAIN, "Subject": 5},
    {**PLAIN, "Surprise": "x"},
    {**PLAIN, "Headers": {"X-A": "b"}},
    {**PLAIN, "Headers": [{"Name": "X-A"}]},
    {**PLAIN, "Headers": [{"Name": "", "Value": "b"}]},
    {**PLAIN, "Headers": [{"Name": "X-A", "Value": "b", "More": "c"}]},
    {**PLAIN, "Metadata": {"mid": 7}},
    {**PLAIN, "MessageStream": ""},
    {**PLAIN, "TrackOpens": "true"},
    {**PLAIN, "TrackLinks": "All"},
    {**PLAIN, "InlineCss": 1},
    {**PLAIN, "Tag": "x" * 1001},
    {**PLAIN, "Attachments": [{"Name": "a", "Content": ""}]},
    {**PLAIN, "HtmlBody": "x" * 5_242_881},
]


@pytest.mark.parametrize("mail", BROKEN_MAILS, ids=range(len(BROKEN_MAILS)))
def test_the_sandbox_refuses_a_mail_that_the_contract_refuses(url: str, mail: Any) -> None:
    assert not mail_contract().is_valid(mail)
    answer = post(url + "/email", content=json.dumps(mail), headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["ErrorCode"]
    assert post(url + "/email/batch", content=json.dumps([mail]), headers=JSON).status_code == 422


@pytest.mark.parametrize("count", [0, 501])
def test_the_sandbox_refuses_a_batch_of_a_size_that_the_contract_refuses(url: str, count: int) -> None:
    assert not mail_contract("/email/batch").is_valid([PLAIN] * count)
    answer = post(url + "/email/batch", content=json.dumps([PLAIN] * count), headers=JSON)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (422, 410)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.just("x"), st.just(""), st.lists(st.just("x")))
NAMES = st.sampled_from(
    [*PLAIN, "HtmlBody", "Headers", "Metadata", "Tag", "MessageStream", "TrackOpens", "InlineCss", "X"]
)


@settings(max_examples=60, deadline=None)
@given(changes=st.dictionaries(NAMES, VALUES, max_size=3))
def test_whatever_the_contract_refuses_the_sandbox_refuses_too(url: str, changes: dict[str, Any]) -> None:
    mail = {**PLAIN, **changes}
    answer = post(url + "/email", json=mail, headers=JSON)
    assert answer.status_code in {200, 422}
    assert mail_contract().is_valid(mail) or answer.status_code == 422


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Postmark-Server-Token": ""}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Accept": "text/html"}, 415),
    ],
)
def test_postmarks_headers_are_required(url: str, headers: dict[str, str], status: int) -> None:
    assert post(url + "/email", json=PLAIN, headers={**JSON, **headers}).status_code == status


def post_text(url: str, form: dict[str, str], **changes: Any) -> httpx.Response:
    address = f"{url}/2010-04-01/Accounts/{changes.pop('sid', SANDBOX_SID)}/Messages.json"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    given_login = changes.pop("auth", (SANDBOX_SID, "sandbox"))
    return post(address, content=urlencode(form), headers=kind | changes, auth=given_login)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "12"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "(o)"}, 21212),
        ({"MessagingServiceSid": "MG1"}, 21705),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "not a url"}, 21609),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"ValidityPeriod": "soon"}, 21624),
    ],
)
def test_the_sandbox_refuses_a_bad_text_with_twilios_code(url: str, changes: dict[str, str], code: int) -> None:
    answer = post_text(url, {**SMS, **changes})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_twilios_credentials_account_and_content_type_are_required(url: str) -> None:
    assert post_text(url, SMS).status_code == 201
    assert post_text(url, SMS, auth=None).json()["code"] == 20003
    assert post_text(url, SMS, auth=("AC" + "1" * 32, "x")).json()["code"] == 20003
    assert post_text(url, SMS, sid="AC1", auth=("AC1", "x")).json()["code"] == 20404
    assert post_text(url, SMS, **{"Content-Type": "application/json"}).status_code == 415
