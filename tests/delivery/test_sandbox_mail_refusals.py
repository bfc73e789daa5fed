"""What each vendor of mail refuses in its own words, and the sandbox in the same."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import loopback
import pytest
from calling import MAIL, posted, request_of, send, taken

from automation.delivery.replies import Accepted, Answer
from automation.delivery.sandbox import SandboxServer

BREAK = "Hi\r\nBcc: eve@example.com"


def changed(request: httpx.Request, **headers: str) -> httpx.Request:
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    return request


def with_body(kind: str, url: str, body: Any) -> Answer:
    """Our own call, with another body."""
    request = request_of(kind, url, [MAIL])
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    heard = posted(httpx.Request("POST", request.url, headers=headers, content=json.dumps(body).encode()))
    assert isinstance(heard, Answer)
    return heard


def edited(kind: str, url: str, path: str, value: Any) -> Answer:
    """Our own call, with one part of it changed; None takes it away."""
    body = json.loads(request_of(kind, url, [MAIL]).content)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place = body
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return with_body(kind, url, body)


ADDRESSES = [{"email": "ada@example.com"}, {"email": "bob@example.com"}]
CASES: Mapping[str, list[tuple[str, Any, int, str]]] = {
    "brevo": [
        ("sender", None, 400, "missing_parameter"),
        ("sender/email", "Shop", 400, "invalid_parameter"),
        ("to", [], 400, "missing_parameter"),
        ("to", ADDRESSES, 400, "invalid_parameter"),
        ("htmlContent", None, 400, "missing_parameter"),
        ("subject", BREAK, 400, "invalid_parameter"),
        ("subject", 5, 400, "invalid_parameter"),
        ("headers/X-Shop", "Café", 400, "invalid_parameter"),
        ("headers/X-Shop", BREAK, 400, "invalid_parameter"),
        ("headers/idempotencyKey", "no uuid", 400, "invalid_parameter"),
        ("surprise", "x", 400, "invalid_parameter"),
    ],
    "mailjet": [
        ("Messages/0/From", None, 400, "mj-0003"),
        ("Messages/0/From/Email", "Shop", 400, "mj-0013"),
        ("Messages/0/To/0/Email", "ada", 400, "mj-0013"),
        ("Messages/0/To", [], 400, "mj-0007"),
        ("Messages/0/Subject", "x" * 256, 400, "mj-0006"),
        ("Messages/0/Subject", 5, 400, "mj-0004"),
        ("Messages/0/Subject", BREAK, 400, "mj-0005"),
        ("Messages/0/Headers/Reply-To\n", "x", 400, "mj-0005"),
        ("Messages/0/Headers/List-Id", "x", 400, "send-0011"),
        ("Messages/0/Headers/X-MJ-Campaign", "x", 400, "send-0011"),
        ("Messages/0/TrackOpens", "yes", 400, "mj-0005"),
        ("Messages/0/Surprise", "x", 400, "mj-0005"),
        ("Messages", [], 400, "mj-0007"),
        ("Messages", [{}] * 51, 400, "mj-0008"),
    ],
    "mailpit": [
        ("From", None, 400, "Error"),
        ("From/Email", "Shop", 400, "Error"),
        ("To", [], 400, "Error"),
        ("Headers/Subject", "x", 400, "Error"),
        ("Subject", BREAK, 400, "Error"),
        ("Surprise", "x", 400, "Error"),
    ],
    "sendgrid": [
        ("from", None, 400, '"field":"from"'),
        ("from/email", "Shop", 400, '"field":"from.email"'),
        ("personalizations", [], 400, '"field":"personalizations"'),
        ("personalizations/0/to", [], 400, '"field":"personalizations.0.to"'),
        ("personalizations/0/to", ADDRESSES, 400, '"field":"personalizations.0.to"'),
        ("personalizations/0/to/0/email", "ada", 400, '"field":"personalizations.0.to.0.email"'),
        ("personalizations/0/headers/Subject", "x", 400, '"field":"personalizations.0.headers"'),
        ("personalizations/0/custom_args", {"mid": 7}, 400, '"field":"personalizations.0.custom_args.mid"'),
        ("personalizations/0/custom_args", {"mid": "7" * 10_000}, 400, '"field":"personalizations.0.custom_args"'),
        ("subject", None, 400, '"field":"personalizations.0.subject"'),
        ("subject", BREAK, 400, '"field":"personalizations.0.headers"'),
        ("content/0/value", "", 400, '"field":"content.0.value"'),
        ("content/0/type", "text/html", 400, '"field":"content"'),
        ("categories", ["a", "a"], 400, '"field":"categories"'),
        ("categories", ["x" * 256], 400, '"field":"categories.0"'),
        ("surprise", "x", 400, '"field":"surprise"'),
    ],
    "ses": [
        ("FromEmailAddress", "Shop", 400, "Missing final"),
        ("FromEmailAddress", "Café <hello@example.com>", 400, "FromEmailAddress"),
        ("Destination/ToAddresses", [], 400, "ToAddresses"),
        ("Destination/ToAddresses", ["grüße@example.com"], 400, "Local address"),
        ("Content", {}, 400, "Simple"),
        ("Content/Simple/Body", {}, 400, "Body"),
        ("Content/Simple/Subject/Data", BREAK, 400, "Control characters"),
        ("Content/Simple/Headers/0/Name", "X Shop", 400, "Headers.0.Name"),
        ("Content/Simple/Headers/0/Value", "Café", 400, "Headers.0.Value"),
        ("Content/Simple/Headers", [{"Name": "X-A", "Value": "b"}] * 16, 400, "Headers"),
        ("EmailTags/0/Value", "two words", 400, "EmailTags.0.Value"),
        ("Surprise", "x", 400, "Surprise"),
    ],
}
EACH = [(kind, *case) for kind, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("kind", "path", "value", "status", "words"), EACH)
def test_what_breaks_the_contract_is_refused(
    sandbox: SandboxServer, kind: str, path: str, value: Any, status: int, words: str
) -> None:
    heard = edited(kind, sandbox.url, path, value)
    assert heard.status == status
    assert words in heard.body.decode()
    assert taken(sandbox.url) == []


def form(url: str, *fields: tuple[str, str | bytes], domain: str = "sandbox.example") -> httpx.Response:
    files = [(name, (None, text)) for name, text in fields]
    return loopback.post(f"{url}/v3/{domain}/messages", files=files, auth=("api", "key"))


FORM = {"from": "Shop <hello@example.com>", "to": "ada@example.com", "subject": "Hi", "text": "Hi"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from": None}, "from parameter is missing"),
        ({"to": None}, "to parameter is missing"),
        ({"to": "ada"}, "'to' parameter is not a valid address"),
        ({"to": "ada@example.com, bob@example.com"}, "'to' parameter is not a valid address"),
        ({"from": "Shop"}, "'from' parameter is not a valid address"),
        ({"text": None}, "Need at least one"),
        ({"subject": BREAK}, "Control characters"),
        ({"h:X-Shop": BREAK}, "Control characters"),
        ({"h:X-Shop": "x" * 16_384}, "16 kB"),
        ({"surprise": "x"}, "is not a parameter"),
        ({"text": b"\xff"}, "cannot be read"),
    ],
)
def test_a_form_that_breaks_mailguns_contract_is_refused(
    sandbox: SandboxServer, change: dict[str, Any], words: str
) -> None:
    heard = form(sandbox.url, *((name, text) for name, text in (FORM | change).items() if text is not None))
    assert (heard.status_code, words in heard.json()["message"]) == (400, True)
    assert taken(sandbox.url) == []


def test_a_form_of_mailguns_keeps_every_letter_of_its_text(sandbox: SandboxServer) -> None:
    text = "\r\n--x\n\rGrüße\r\n\r\n"
    assert form(sandbox.url, *(FORM | {"text": text}).items()).status_code == 200
    assert taken(sandbox.url)[0]["text"] == text


@pytest.mark.parametrize("domain", ["nowhere", "a_b.example"])
def test_a_domain_that_mailgun_does_not_know_is_not_found(sandbox: SandboxServer, domain: str) -> None:
    assert form(sandbox.url, *FORM.items(), domain=domain).status_code == 404


def test_one_bad_message_of_mailjets_does_not_stop_the_others(sandbox: SandboxServer) -> None:
    replies = send("mailjet", sandbox.url, MAIL, replace(MAIL, message_id=2, recipient="bob@nowhere"))
    assert [type(one) is Accepted for one in replies] == [True, False]
    assert [one["mid"] for one in taken(sandbox.url)] == [str(MAIL.message_id)]


def test_brevo_refuses_a_key_that_it_has_seen_and_sends_nothing_twice(sandbox: SandboxServer) -> None:
    first, again, other = (send("brevo", sandbox.url, MAIL, key=key) for key in ("a", "a", "b"))
    assert [one[0].flags for one in (first, again, other) if isinstance(one[0], Accepted)] == [
        (),
        ("no_provider_id",),
        (),
    ]
    assert len(taken(sandbox.url)) == 2
    key = {"idempotencyKey": str(uuid4())}
    heard = [edited("brevo", sandbox.url, "headers", headers) for headers in (key, key, key | {"X-Shop": "other"})]
    assert [one.status for one in heard] == [201, 400, 400]
    assert len(taken(sandbox.url)) == 3


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("authorization", "Bearer x"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature=0"),
        ("x-amz-date", "yesterday"),
        ("x-amz-date", "20200101T000000Z"),
    ],
)
def test_a_call_of_sess_that_is_not_signed_for_it_is_refused(sandbox: SandboxServer, header: str, value: str) -> None:
    heard = posted(changed(request_of("ses", sandbox.url, [MAIL]), **{header: value}))
    assert isinstance(heard, Answer)
    assert heard.status == 403
    assert "Signature" in heard.headers["x-amzn-errortype"]


def test_a_signature_for_another_service_is_refused(sandbox: SandboxServer) -> None:
    request = request_of("ses", sandbox.url, [MAIL])
    named = request.headers["authorization"].replace("/ses/", "/sns/")
    heard = posted(changed(request, authorization=named))
    assert isinstance(heard, Answer)
    assert heard.headers["x-amzn-errortype"] == "InvalidSignatureException"


def test_of_several_whom_sendgrid_writes_to_each_has_an_own_id(sandbox: SandboxServer) -> None:
    two = [{"to": [one], "custom_args": {"mid": str(at)}} for at, one in enumerate(ADDRESSES)]
    heard = edited("sendgrid", sandbox.url, "personalizations", two)
    found = taken(sandbox.url)
    assert (heard.status, [one["mid"] for one in found]) == (202, ["0", "1"])
    assert [one["provider_id"].partition(".")[0] for one in found] == [heard.headers["x-message-id"]] * 2
    assert edited("sendgrid", sandbox.url, "personalizations", two * 2).status == 400
