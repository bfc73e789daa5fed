"""What Amazon's services have in common: the account, the signature, and errors that have a name."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import httpx

from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.providers.classify import Scope
from automation.delivery.providers.sigv4 import Keys, signature
from automation.delivery.replies import Answer, Later, Refused, Reply, Unknown, masked

WANTS = (
    Want(
        "account",
        re.compile(r"[A-Za-z0-9_]{16,128}"),
        "write the access key ID, which begins with AKIA or, when temporary, ASIA",
        "AKIA" + "0" * 16,
    ),
    Want("region", re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"), 'write the region, like "eu-west-1"', "us-east-1"),
)
# Host is always there; the others only where the service asks for them.
SIGNED = ("host", "content-type", "x-amz-target")


class Refusal(NamedTuple):
    reason: str
    scope: Scope
    suppress: Literal["unsubscribed"] | None = None


class Error(NamedTuple):
    """`why` is the constant that some services add to the error's name."""

    name: str
    text: str
    why: str


# https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
# Services that speak JSON answer many of them with 400.
CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
ACCOUNT = {
    **dict.fromkeys(CREDENTIALS, Refusal("bad_credentials", "account")),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "NotAuthorized"), Refusal("not_allowed", "account")),
    "OptInRequired": Refusal("not_subscribed", "account"),
    "RequestExpired": Refusal("clock_differs", "account"),
    "UnknownOperationException": Refusal("unknown_operation", "account"),
}
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
ABORTED = "RequestAbortedException"  # they lost the connection before they answered


def signed(request: httpx.Request, account: Account, service: str, now: datetime) -> httpx.Request:
    """The same call with the signature of the account for that service."""
    told = {name: request.headers[name] for name in SIGNED if name in request.headers}
    keys = Keys(str(account.account), account.token, account.session_token)
    added = signature(
        request.method,
        str(request.url),
        told,
        request.content,
        keys=keys,
        region=str(account.region),
        service=service,
        now=now,
    )
    headers = {**request.headers, **added}
    return httpx.Request(request.method, request.url, headers=headers, content=request.content)


def error_of(answer: Answer) -> Error:
    """From the header or the body, without the namespace before and the address behind; "" for what is not there."""
    body = classify.json_body(answer)
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    name = answer.headers.get("x-amzn-errortype") or found.get("__type") or found.get("code") or ""
    text = str(found.get("message") or found.get("Message") or "")
    # Behind the first line a refused signature shows what was signed, the session's token too.
    return Error(str(name).partition(":")[0].rpartition("#")[2], text.partition("\n")[0], str(found.get("Reason", "")))


def reply(error: Error, answer: Answer, now: datetime, refusals: Mapping[str, Refusal]) -> Reply:
    """By the error's name, first as the service's own table has it; by the status where no name tells anything."""
    if not 400 <= answer.status < 500:  # noqa: PLR2004 (the class of refusals)
        return classify.from_status(answer, now, error.text)
    if error.name == ABORTED:
        return Unknown("aborted", http_status=answer.status)
    known = refusals.get(error.name) or ACCOUNT.get(error.name)
    if known is not None:
        return Refused(known.reason, known.scope, masked(error.text), known.suppress, http_status=answer.status)
    if error.name in THROTTLED:
        return Later(classify.retry_after(answer, now), "throttled", throttled=True, http_status=answer.status)
    return classify.from_status(answer, now, error.text)
