"""AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Keys:
    """`session_token` belongs to temporary keys."""

    access_key: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def signature(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Keys,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """The headers to add to a call. All of `headers` are signed, so they have to arrive as they are; Host is one."""
    at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": at}
    if keys.session_token:
        added["x-amz-security-token"] = keys.session_token
    signed = {name.lower(): " ".join(value.split()) for name, value in {**headers, **added}.items()}
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    told = "\n".join((ALGORITHM, at, scope, sha256(_canonical(method, url, signed, body)).hexdigest()))
    proof = hmac.digest(_key(keys.secret, scope), told.encode(), "sha256").hex()
    words = f"Credential={keys.access_key}/{scope}, SignedHeaders={_names(signed)}, Signature={proof}"
    return {**added, "authorization": f"{ALGORITHM} {words}"}


def _canonical(method: str, url: str, signed: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    lines = (f"{name}:{signed[name]}" for name in sorted(signed))
    whole = (method, _path(parts.path), _query(parts.query), *lines, "", _names(signed), sha256(body).hexdigest())
    return "\n".join(whole).encode()


def _names(signed: Mapping[str, str]) -> str:
    return ";".join(sorted(signed))


def _path(path: str) -> str:
    """Without dots and empty steps; what is percent-encoded already is encoded once more."""
    kept: list[str] = []
    for step in path.split("/"):
        if step == "..":
            kept[-1:] = []
        elif step not in {"", "."}:
            kept.append(step)
    end = "/" if kept and path.endswith("/") else ""
    return quote(f"/{'/'.join(kept)}{end}", safe="/~")


def _query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key
