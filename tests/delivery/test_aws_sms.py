import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outgoing import NUDGE
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, Signs, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
AWS = ADAPTERS["aws_sms"]
KEY = "AKIAIOSFODNN7EXAMPLE"
ACCOUNT = Account("https://sms-voice.eu-west-1.amazonaws.com", "secret", KEY, region="eu-west-1")


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(AWS.request([message], account, None).content)


def error(status: int, name: str, text: str = "", **more: Any) -> Answer:
    body = {"__type": f"com.amazonaws.pinpointsmsvoicev2#{name}", "Message": text, **more}
    return Answer(status, {"content-type": "application/x-amz-json-1.0"}, json.dumps(body).encode())


def reply_to(answer: Answer) -> Reply:
    (reply,) = AWS.replies(answer, [NUDGE], NOW)
    return reply


def test_a_message_is_one_call() -> None:
    request = AWS.request([NUDGE], ACCOUNT, None)
    assert (request.method, str(request.url)) == ("POST", "https://sms-voice.eu-west-1.amazonaws.com/")
    assert request.headers["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert json.loads(request.content) == {
        "DestinationPhoneNumber": "+393331234567",
        "OriginationIdentity": "+15550100",
        "MessageBody": "Ciao, è ora & 10 € 🎁",
        "MessageType": "PROMOTIONAL",
        "Context": {"mid": "9", "tag": "nudge"},
    }
    assert AWS.size(NUDGE, ACCOUNT) == len(request.content)


def test_what_is_no_marketing_is_transactional() -> None:
    assert body_of(replace(NUDGE, kind="transactional"))["MessageType"] == "TRANSACTIONAL"


def test_a_pool_replaces_the_number_and_a_configuration_set_hears_of_the_events() -> None:
    body = body_of(NUDGE, replace(ACCOUNT, messaging_service="pool-1", configuration_set="events"))
    assert (body["OriginationIdentity"], body["ConfigurationSetName"]) == ("pool-1", "events")


@pytest.mark.parametrize(
    ("validity", "seconds"),
    [
        (timedelta(hours=2), 7200),
        (timedelta(seconds=59, milliseconds=900), 59),
        (timedelta(days=30), 259_200),
        (timedelta(0), 5),
    ],
)
def test_a_text_near_the_end_of_the_window_does_not_wait_longer_than_it(validity: timedelta, seconds: int) -> None:
    assert body_of(replace(NUDGE, validity=validity))["TimeToLive"] == seconds


TEXTS = (NUDGE, replace(NUDGE, validity=timedelta(hours=1)), replace(NUDGE, kind="transactional", text="x" * 1600))


@pytest.mark.parametrize("message", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("account", [ACCOUNT, replace(ACCOUNT, messaging_service="pool-1", configuration_set="events")])
def test_a_call_is_as_amazons_own_model_describes_it(message: Outgoing, account: Account) -> None:
    loaders = pytest.importorskip("botocore.loaders", reason="botocore is not installed")
    from botocore.model import ServiceModel  # noqa: PLC0415 (it may be missing)
    from botocore.validate import ParamValidator  # noqa: PLC0415

    service = ServiceModel(loaders.Loader().load_service_model("pinpoint-sms-voice-v2", "service-2"))
    operation = service.operation_model("SendTextMessage")
    body = body_of(message, account)
    assert ParamValidator().validate(body, operation.input_shape).generate_report() == ""
    assert set(body) <= set(operation.input_shape.members)
    target = f"{service.metadata['targetPrefix']}.{operation.name}"
    assert AWS.request([message], account, None).headers["x-amz-target"] == target


def test_the_same_input_gives_the_same_bytes() -> None:
    one, other = AWS.request([NUDGE], ACCOUNT, None), AWS.request([NUDGE], ACCOUNT, "key")
    assert (one.content, one.headers) == (other.content, other.headers)


def test_a_call_is_signed_when_it_is_posted() -> None:
    assert isinstance(AWS, Signs)
    request = AWS.request([NUDGE], ACCOUNT, None)
    signed = AWS.signed(request, replace(ACCOUNT, session_token="session"), NOW)
    assert (signed.url, signed.content) == (request.url, request.content)
    assert signed.headers["authorization"].startswith(
        f"AWS4-HMAC-SHA256 Credential={KEY}/20260301/eu-west-1/sms-voice/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
    )
    assert signed.headers["x-amz-target"] == request.headers["x-amz-target"]


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(AWS, [NUDGE, NUDGE, NUDGE], ACCOUNT, 500)] == [1, 1, 1]


def test_an_accepted_text_keeps_its_id() -> None:
    for kind in ("application/x-amz-json-1.0", "application/json"):
        assert reply_to(Answer(200, {"content-type": kind}, b'{"MessageId": "ab-1"}')) == Accepted(
            "ab-1", http_status=200
        )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(200, {"content-type": "text/html"}, b"<p>"),
        Answer(200, {"content-type": "application/x-amz-json-1.0"}, b'{"MessageId": "ab', complete=False),
        Answer(200, {"content-type": "application/x-amz-json-1.0"}, b'{"MessageId": 5}'),
    ],
)
def test_a_success_without_a_proper_id_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=200)


CONFLICT, VALIDATION = "ConflictException", "ValidationException"


@pytest.mark.parametrize(
    ("name", "why", "reason", "scope", "suppress"),
    [
        (CONFLICT, "DESTINATION_PHONE_NUMBER_OPTED_OUT", "opted_out", "recipient", "unsubscribed"),
        (
            CONFLICT,
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
            "country_blocked",
            "recipient",
            None,
        ),
        (
            CONFLICT,
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
            "number_blocked",
            "recipient",
            None,
        ),
        (CONFLICT, "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "trial_account", "account", None),
        (CONFLICT, "MESSAGE_TYPE_MISMATCH", "sender_not_usable", "account", None),
        (CONFLICT, "NUMBER_CAPABILITIES_MISMATCH", "sender_not_usable", "account", None),
        (CONFLICT, "REGISTRATION_NOT_COMPLETE", "sender_not_registered", "account", None),
        (CONFLICT, "RESOURCE_NOT_ACTIVE", "sender_not_active", "account", None),
        (CONFLICT, "NO_ORIGINATION_IDENTITIES_FOUND", "conflict", "message", None),
        (VALIDATION, "DESTINATION_COUNTRY_BLOCKED", "country_blocked", "recipient", None),
        (VALIDATION, "INVALID_PARAMETER", "invalid_request", "message", None),
        ("ResourceNotFoundException", "", "not_found", "account", None),
        ("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "quota_exceeded", "account", None),
        ("AccessDeniedException", "ACCOUNT_DISABLED", "not_allowed", "account", None),
        ("UnrecognizedClientException", "", "bad_credentials", "account", None),
        ("InvalidSignatureException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", "bad_credentials", "account", None),
        ("SomethingNew", "DESTINATION_PHONE_NUMBER_OPTED_OUT", "http_400", "message", None),
    ],
)
def test_each_row_of_the_class_table(name: str, why: str, reason: str, scope: str, suppress: str | None) -> None:
    reply = reply_to(error(400, name, "For +393331234567: no", **({"Reason": why} if why else {})))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope, reply.suppress) == (reason, scope, suppress)
    assert reply.detail == "For [number]: no"


@pytest.mark.parametrize("name", ["ConflictException", "ResourceNotFoundException", "ThrottlingException"])
def test_every_reason_of_amazons_own_model_is_understood(name: str) -> None:
    """None breaks, none is taken for an opt-out but the one."""
    loaders = pytest.importorskip("botocore.loaders", reason="botocore is not installed")
    shapes = loaders.Loader().load_service_model("pinpoint-sms-voice-v2", "service-2")["shapes"]
    reasons = {one for kind in (CONFLICT, VALIDATION) for one in shapes[f"{kind}Reason"]["enum"]}
    suppressing = {why for why in reasons if getattr(reply_to(error(400, name, Reason=why)), "suppress", None)}
    assert suppressing <= {"DESTINATION_PHONE_NUMBER_OPTED_OUT"}


def test_every_reason_of_ours_is_one_of_amazons_own_model() -> None:
    loaders = pytest.importorskip("botocore.loaders", reason="botocore is not installed")
    from automation.delivery.providers.aws_sms import REASONS, REFUSALS  # noqa: PLC0415

    shapes = loaders.Loader().load_service_model("pinpoint-sms-voice-v2", "service-2")["shapes"]
    assert set(REASONS) <= {one for kind in (CONFLICT, VALIDATION) for one in shapes[f"{kind}Reason"]["enum"]}
    assert set(REFUSALS) <= set(shapes)


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, None), ({"retry-after": "3"}, 3), ({"retry-after": "Sun, 01 Mar 2026 09:01:00 GMT"}, 60)],
)
def test_throttling_is_for_later(headers: dict[str, str], after: int | None) -> None:
    answer = error(400, "ThrottlingException", "Rate exceeded")
    reply = reply_to(replace(answer, headers={**answer.headers, **headers}))
    wait = None if after is None else timedelta(seconds=after)
    assert reply == Later(wait, "throttled", throttled=True, http_status=400)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("name", ["InternalServerException", "ThrottlingException", "ConflictException"])
def test_a_server_error_is_unknown_whatever_its_name(status: int, name: str) -> None:
    assert reply_to(error(status, name)) == Unknown(f"http_{status}", http_status=status)
    page = Answer(status, {"content-type": "text/html"}, b"<h1>Error</h1>")
    assert reply_to(page) == Unknown(f"http_{status}", http_status=status)


def test_the_region_is_in_the_address() -> None:
    provider = Provider(kind="aws_sms", token=SecretStr("x"), account=KEY, region="eu-south-2")
    assert account_of("texts", provider).base_url == "https://sms-voice.eu-south-2.amazonaws.com"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"token": None}, "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        ({"account": None}, r"\[providers.texts\] account"),
        ({"account": "short"}, r"\[providers.texts\] account"),
        ({"region": None}, r"\[providers.texts\] region"),
        ({"region": "Ireland"}, r"\[providers.texts\] region"),
        ({"messaging_service": "my pool"}, r"\[providers.texts\] messaging_service"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(change: dict[str, Any], words: str) -> None:
    complete = {"kind": "aws_sms", "token": SecretStr("x"), "account": KEY, "region": "eu-west-1"}
    with pytest.raises(BadInput, match=words):
        account_of("texts", Provider(**{**complete, **change}))
