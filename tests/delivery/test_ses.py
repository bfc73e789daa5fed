import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from automation.delivery.http import Door
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, Signs, account_of, aws, batches
from automation.delivery.providers.sigv4 import Keys, signature
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SES = ADAPTERS["ses"]
KEY = "AKIAIOSFODNN7EXAMPLE"
ACCOUNT = Account("https://email.eu-west-1.amazonaws.com", "secret", KEY, region="eu-west-1")
MAIL = Outgoing(
    message_id=7,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>",
    text="Hi",
    headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "List-Unsubscribe": "<https://shop.example/u>"},
    tag="welcome_back-2",
    kind="marketing",
)
JSON = {"content-type": "application/json"}


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(SES.request([message], account, None).content)


def error(status: int, name: str, text: str = "", **headers: str) -> Answer:
    return Answer(status, {**JSON, "x-amzn-errortype": name, **headers}, json.dumps({"message": text}).encode())


def reply_to(answer: Answer) -> Reply:
    (reply,) = SES.replies(answer, [MAIL], NOW)
    return reply


def signed(request: httpx.Request, account: Account = ACCOUNT) -> httpx.Request:
    assert isinstance(SES, Signs)
    return SES.signed(request, account, NOW)


def test_a_message_is_one_call() -> None:
    request = SES.request([MAIL], ACCOUNT, None)
    assert (request.method, str(request.url)) == (
        "POST",
        "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
    )
    assert json.loads(request.content) == {
        "FromEmailAddress": "Shop <hello@example.com>",
        "Destination": {"ToAddresses": ["ada@example.com"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Grüße 🎁", "Charset": "UTF-8"},
                "Body": {"Text": {"Data": "Hi", "Charset": "UTF-8"}, "Html": {"Data": "<p>Hi</p>", "Charset": "UTF-8"}},
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": "<https://shop.example/u>"},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                ],
            }
        },
        "EmailTags": [{"Name": "mid", "Value": "7"}, {"Name": "tag", "Value": "welcome_back-2"}],
    }
    assert SES.size(MAIL, ACCOUNT) == len(request.content)


def test_what_is_empty_is_left_out() -> None:
    simple = body_of(replace(MAIL, html="", headers={}))["Content"]["Simple"]
    assert list(simple["Body"]) == ["Text"]
    assert "Headers" not in simple


def test_a_configuration_set_hears_of_the_events() -> None:
    assert "ConfigurationSetName" not in body_of(MAIL)
    assert body_of(MAIL, replace(ACCOUNT, configuration_set="events"))["ConfigurationSetName"] == "events"


@pytest.mark.parametrize(
    ("sender", "written"),
    [
        ("Café <hello@example.com>", "=?utf-8?b?Q2Fmw6k=?= <hello@example.com>"),
        ("Shop <hello@bücher.example>", "Shop <hello@xn--bcher-kva.example>"),
        ("hello@bücher.example", "hello@xn--bcher-kva.example"),
        ("grüße@example.com", "grüße@example.com"),
        ("Bücher, gern <grüße@ >", "=?utf-8?q?B=C3=BCcher=2C_gern?= <grüße@>"),
    ],
)
def test_a_sender_beyond_ascii(sender: str, written: str) -> None:
    assert body_of(replace(MAIL, sender=sender))["FromEmailAddress"] == written


def test_a_recipients_domain_is_written_in_punycode() -> None:
    assert body_of(replace(MAIL, recipient="ada@bücher.example"))["Destination"] == {
        "ToAddresses": ["ada@xn--bcher-kva.example"]
    }


def test_a_header_beyond_ascii_is_written_in_encoded_words() -> None:
    (header,) = body_of(replace(MAIL, headers={"X-Shop": "Café"}))["Content"]["Simple"]["Headers"]
    assert header == {"Name": "X-Shop", "Value": "=?utf-8?b?Q2Fmw6k=?="}


MAILS = (
    MAIL,
    replace(MAIL, html=""),
    replace(MAIL, text="", headers={}),
    replace(MAIL, sender="Café <hello@example.com>"),
)


@pytest.mark.parametrize("message", MAILS, ids=range(len(MAILS)))
def test_a_call_is_as_amazons_own_model_describes_it(message: Outgoing) -> None:
    loaders = pytest.importorskip("botocore.loaders", reason="botocore is not installed")
    from botocore.model import ServiceModel  # noqa: PLC0415 (it may be missing)
    from botocore.validate import ParamValidator  # noqa: PLC0415

    shape = ServiceModel(loaders.Loader().load_service_model("sesv2", "service-2")).operation_model("SendEmail")
    body = body_of(message, replace(ACCOUNT, configuration_set="events"))
    assert ParamValidator().validate(body, shape.input_shape).generate_report() == ""
    assert_known(body, shape.input_shape)


def assert_known(value: Any, shape: Any) -> None:
    """The validator lets pass what it does not know."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            assert_known(inner, shape.members[name])
    elif shape.type_name == "list":
        for inner in value:
            assert_known(inner, shape.member)


def test_the_same_input_gives_the_same_bytes() -> None:
    one, other = SES.request([MAIL], ACCOUNT, None), SES.request([MAIL], ACCOUNT, "key")
    assert (one.content, one.headers) == (other.content, other.headers)
    assert "authorization" not in one.headers


def test_a_call_is_signed_when_it_is_posted() -> None:
    request = SES.request([MAIL], ACCOUNT, None)
    once = signed(request)
    assert (once.url, once.content) == (request.url, request.content)
    assert once.headers["x-amz-date"] == "20260301T090000Z"
    assert once.headers["authorization"].startswith(
        f"AWS4-HMAC-SHA256 Credential={KEY}/20260301/eu-west-1/ses/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, Signature="
    )
    assert signed(request).headers == once.headers
    assert "x-amz-security-token" not in once.headers


def test_temporary_credentials_show_their_token() -> None:
    headers = signed(SES.request([MAIL], ACCOUNT, None), replace(ACCOUNT, session_token="session")).headers
    assert headers["x-amz-security-token"] == "session"
    assert "host;x-amz-date;x-amz-security-token" in headers["authorization"]


def test_what_arrives_is_what_was_signed(httpserver: HTTPServer) -> None:
    heard: list[Request] = []

    def take(request: Request) -> Response:
        heard.append(request)
        return Response('{"MessageId": "0102-ab"}', content_type="application/json")

    httpserver.expect_request("/v2/email/outbound-emails").respond_with_handler(take)
    account = replace(ACCOUNT, base_url=httpserver.url_for("").rstrip("/"))
    answer = asyncio.run(posted(signed(SES.request([replace(MAIL, text="x" * 99_999)], account, None), account)))
    assert reply_to(answer) == Accepted("0102-ab", http_status=200)
    (request,) = heard
    told = {name: request.headers[name] for name in ("Host", "Content-Type")}
    keys = Keys(KEY, "secret")
    proof = signature("POST", request.url, told, request.data, keys=keys, region="eu-west-1", service="ses", now=NOW)
    assert request.headers["Authorization"] == proof["authorization"]


async def posted(request: httpx.Request) -> Answer:
    async with Door(1) as door:
        answer = await door.post(request, timeout=timedelta(seconds=20))
    assert isinstance(answer, Answer)
    return answer


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


def test_an_independent_imitation_takes_the_call(moto: str) -> None:
    account = replace(ACCOUNT, base_url=moto)
    send = signed(SES.request([MAIL], account, None), account)
    assert reply_to(asyncio.run(posted(send))) == Refused(
        "sender_not_verified", "account", "Email address not verified Shop <[address]>", http_status=400
    )
    identity = httpx.Request("POST", f"{moto}/v2/email/identities", json={"EmailIdentity": "hello@example.com"})
    assert asyncio.run(posted(aws.signed(identity, account, "ses", NOW))).status == 200
    taken = asyncio.run(posted(send))
    assert isinstance(reply_to(taken), Accepted)
    assert json.loads(taken.body)["MessageId"]


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(SES, [MAIL, MAIL, MAIL], ACCOUNT, 500)] == [1, 1, 1]


def test_an_accepted_message_keeps_its_id() -> None:
    answer = Answer(200, JSON, b'{"MessageId": "0102017f-0a1b-000000"}')
    assert reply_to(answer) == Accepted("0102017f-0a1b-000000", http_status=200)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(200, JSON, b"[]"),
        Answer(200, JSON, b'{"MessageId": "a b"}'),
        Answer(202, {"content-type": "text/html"}, b"<p>"),
        Answer(200, JSON, b'{"MessageId": "0102', complete=False),
    ],
)
def test_a_success_without_a_proper_id_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize(
    ("status", "name", "text", "reason", "scope"),
    [
        (400, "BadRequestException", "Illegal address ada@example.com", "bad_request", "message"),
        (400, "MessageRejected", "Too large", "message_rejected", "message"),
        (400, "MessageRejected", "Email address is not verified: ada@example.com", "sender_not_verified", "account"),
        (400, "LimitExceededException", "", "limit_exceeded", "account"),
        (400, "AccountSuspendedException", "", "account_suspended", "account"),
        (400, "SendingPausedException", "", "sending_paused", "account"),
        (400, "MailFromDomainNotVerifiedException", "", "mail_from_domain_not_verified", "account"),
        (404, "NotFoundException", "No configuration set", "not_found", "account"),
        (429, "TooManyRequestsException", "Daily message quota exceeded.", "daily_quota_exceeded", "account"),
        (400, "ThrottlingException", "Daily message quota exceeded", "daily_quota_exceeded", "account"),
        (403, "SignatureDoesNotMatch", "", "bad_credentials", "account"),
        (403, "ExpiredTokenException", "", "bad_credentials", "account"),
        (400, "UnrecognizedClientException", "", "bad_credentials", "account"),
        (403, "AccessDeniedException", "", "not_allowed", "account"),
        (403, "OptInRequired", "", "not_subscribed", "account"),
        (400, "RequestExpired", "", "clock_differs", "account"),
        (404, "UnknownOperationException", "", "unknown_operation", "account"),
        (403, "SomethingNew", "", "http_403", "account"),
        (400, "SomethingNew", "", "http_400", "message"),
        (413, "", "", "http_413", "message"),
    ],
)
def test_each_row_of_the_class_table(status: int, name: str, text: str, reason: str, scope: str) -> None:
    reply = reply_to(error(status, name, text))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope, reply.suppress) == (reason, scope, None)
    assert reply.detail == text.replace("ada@example.com", "[address]")


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("MessageRejected:http://internal.amazon.com/coral/", {"message": "No"}),
        ("aws.ses#MessageRejected", {"Message": "No"}),
        (None, {"__type": "com.amazonaws.ses#MessageRejected:http://x/", "message": "No"}),
        (None, {"code": "MessageRejected", "message": "No"}),
    ],
)
def test_an_errors_name_is_found_where_it_is(header: str | None, body: dict[str, str]) -> None:
    headers = JSON if header is None else {**JSON, "x-amzn-errortype": header}
    assert reply_to(Answer(400, headers, json.dumps(body).encode())) == Refused(
        "message_rejected", "message", "No", http_status=400
    )


@pytest.mark.parametrize(("status", "name"), [(429, "TooManyRequestsException"), (400, "ThrottlingException")])
@pytest.mark.parametrize(
    ("header", "after"),
    [({}, None), ({"retry-after": "3"}, 3), ({"retry-after": "Sun, 01 Mar 2026 09:01:00 GMT"}, 60)],
)
def test_throttling_is_for_later(status: int, name: str, header: dict[str, str], after: int | None) -> None:
    reply = reply_to(error(status, name, "Maximum sending rate exceeded", **header))
    wait = None if after is None else timedelta(seconds=after)
    assert reply == Later(wait, "throttled", throttled=True, http_status=status)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize("name", ["ThrottlingException", "MessageRejected", ""])
def test_a_server_error_is_unknown_whatever_its_name(status: int, name: str) -> None:
    assert status == 408 or reply_to(error(status, name)) == Unknown(f"http_{status}", http_status=status)
    page = Answer(status, {"content-type": "text/html"}, b"<h1>Error</h1>")
    assert reply_to(page) == Unknown(f"http_{status}", http_status=status)


def test_a_call_that_was_aborted_is_unknown() -> None:
    assert reply_to(error(400, "RequestAbortedException")) == Unknown("aborted", http_status=400)


def test_a_refused_signature_does_not_show_what_was_signed() -> None:
    text = "Signature differs.\n\nThe Canonical String was 'x-amz-security-token:session'"
    assert reply_to(error(403, "SignatureDoesNotMatch", text)) == Refused(
        "bad_credentials", "account", "Signature differs.", http_status=403
    )


def test_the_region_is_in_the_address() -> None:
    provider = Provider(kind="ses", token=SecretStr("x"), account=KEY, region="eu-south-2")
    account = account_of("mail", provider)
    assert account.base_url == "https://email.eu-south-2.amazonaws.com"
    assert "/eu-south-2/ses/" in signed(SES.request([MAIL], account, None), account).headers["authorization"]


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("sandbox", Provider(kind="ses", base_url="http://localhost:8025/"))
    assert (account.base_url, account.region) == ("http://localhost:8025", "us-east-1")
    assert signed(SES.request([MAIL], account, None), account).headers["host"] == "localhost:8025"


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="ses", account=KEY, region="eu-west-1"), "AUTOMATION_PROVIDERS__MAIL__TOKEN"),
        (Provider(kind="ses", token=SecretStr("x"), region="eu-west-1"), r"\[providers.mail\] account"),
        (Provider(kind="ses", token=SecretStr("x"), region="eu-west-1", account="AKIA"), r"\[providers.mail\] account"),
        (Provider(kind="ses", token=SecretStr("x"), account=KEY), r"\[providers.mail\] region"),
        (Provider(kind="ses", token=SecretStr("x"), account=KEY, region="evil.example/"), "region"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("mail", provider)
