"""What the vendors of mail have in common: strict forms, one address, two halves of credentials."""

import re
from base64 import b64decode

from pydantic import ConfigDict, ValidationError

from automation.delivery.sandbox.exchange import Post

JSON_TYPE = "application/json"
# What a request's form does not name is refused.
STRICT = ConfigDict(extra="forbid", strict=True)
BARE = r"[^\s<>@,;\"]+@[^\s<>@,;\".]+(?:\.[^\s<>@,;\".]+)+"  # its domain has a dot
ADDRESS = re.compile(BARE)
# One address, plain or as "Name <address>".
NAMED = re.compile(f"[^<>@]*<({BARE})>|({BARE})")


def named(text: str) -> str | None:
    """The address in `Name <address>`; None for anything else."""
    found = NAMED.fullmatch(text)
    return (found[1] or found[2]) if found else None


def basic(post: Post) -> tuple[str, str]:
    """User and password of basic authentication, both empty where there is none."""
    scheme, _, coded = post.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = b64decode(coded, validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def first_wrong(error: ValidationError) -> tuple[str, str, str]:
    """Where, of what type and in which words: the first thing that is wrong with a request."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return ".".join(str(part) for part in first["loc"]), first["type"], first["msg"]
