"""What vendors of texts have in common: credentials, a JSON body, phone numbers, and a text in the mailbox."""

import secrets
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from automation.delivery.sandbox.exchange import Post, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.mails import first_wrong

JSON_TYPE = "application/json"
# Twilio keeps these numbers for tests; where another vendor refuses such a number at once, it refuses the same ones.
INVALID, OPTED_OUT = "+15005550001", "+15005550004"
# Crockford's base32 without what looks alike, of which ULIDs are made.
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Form = TypeVar("Form", bound="Part")


class Part(BaseModel):
    """Of a body: what the vendor does not know, or knows as something else, is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Flaw:
    """The first thing that is wrong with a body. `name` is what pydantic calls it."""

    where: str
    words: str
    name: str

    @property
    def is_missing(self) -> bool:
        return self.name == "missing"

    @property
    def is_no_json(self) -> bool:
        return self.name == "json_invalid"


def read(form: type[Form], body: bytes) -> Form | Flaw:
    try:
        return form.model_validate_json(body)
    except ValidationError as found:
        where, name, words = first_wrong(found)
        return Flaw(where, words, name)


def is_json(post: Post) -> bool:
    return media_type(post) == JSON_TYPE


def credential(post: Post, scheme: str) -> str:
    """What follows the scheme in the header; empty where it is another one."""
    given, _, rest = post.headers.get("authorization", "").partition(" ")
    return rest.strip() if given.lower() == scheme.lower() else ""


def _one_line(text: str) -> str:
    if not is_one_line(text):
        raise ValueError("control characters are not allowed")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(_one_line(text))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no URL")
    return text


Line = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
# A number with its country's code, a short code, or a name of letters.
Sender = Annotated[str, Field(pattern=r"^(\+?[0-9]{3,15}|[A-Za-z0-9 ]{1,11})$")]
# With the plus sign, and as several vendors want it, with or without.
E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Number = Annotated[str, Field(pattern=r"^\+?[1-9][0-9]{6,14}$")]


def e164(number: str) -> str:
    return f"+{number.removeprefix('+')}"


def ulid() -> str:
    """26 letters in lower case, by chance alone."""
    return "".join(secrets.choice(LETTERS) for _ in range(26))


def own_id(url: str) -> str:
    """Ours, in the query of the URL where we are told."""
    try:
        return parse_qs(urlsplit(url).query).get("mid", [""])[0]
    except ValueError:
        return ""


def taken(
    post: Post,
    kind: str,
    provider_id: str,
    sender: str,
    recipient: str,
    text: str,
    fields: str,
    mid: str,
    tag: str = "",
) -> Taken:
    """One text. Its recipient stands in the mailbox with a plus sign, whatever the vendor does with it."""
    return Taken(
        kind=kind,
        provider_id=provider_id,
        mid=mid,
        sender=sender,
        recipient=e164(recipient),
        subject="",
        at=stamp(post.at),
        body_hash=body_hash(text),
        tag=tag,
        stream="",
        fields=fields,
        text=text,
        html="",
    )
