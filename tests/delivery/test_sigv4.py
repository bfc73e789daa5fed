"""The signature against AWS's published examples, and against botocore's own signer."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.delivery.providers.sigv4 import Keys, signature

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
HOST = {"Host": "example.amazonaws.com"}
FORM = "application/x-www-form-urlencoded"


class Example(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    proof: str


# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html
EXAMPLES = {
    "vanilla": Example("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "query order": Example(
        "GET",
        "/?Param2=value2&Param1=value1",
        {},
        b"",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "header trim": Example(
        "GET",
        "/",
        {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
        b"",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "utf8": Example("GET", "/ሴ", {}, b"", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    "unreserved": Example(
        "GET",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        {},
        b"",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "slashes": Example(
        "GET", "//example//", {}, b"", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
    ),
    "dots": Example(
        "GET",
        "/example1/example2/../..",
        {},
        b"",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "body": Example(
        "POST",
        "/",
        {"Content-Type": FORM},
        b"Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


def sign(example: Example, keys: Keys = KEYS, service: str = "service", **where: Any) -> dict[str, str]:
    url = f"https://{HOST['Host']}{example.path}"
    told = {"keys": keys, "region": "us-east-1", "service": service, "now": NOW, **where}
    return signature(example.method, url, {**HOST, **example.headers}, example.body, **told)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_each_published_example(example: Example) -> None:
    names = ";".join(sorted(["host", "x-amz-date", *map(str.lower, example.headers)]))
    assert sign(example) == {
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={example.proof}",
    }


def test_the_published_example_of_a_temporary_key() -> None:
    token = (
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8"
        "YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6"
        "fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQ"
        "wj2ICCR/oLxBA=="
    )
    added = sign(Example("POST", "/", {}, b"", ""), Keys(KEYS.access_key, KEYS.secret, token))
    assert added["x-amz-security-token"] == token
    assert added["authorization"].endswith(
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )


def test_a_moment_is_told_in_utc() -> None:
    rome = NOW.astimezone(timezone(timedelta(hours=2)))
    assert sign(EXAMPLES["body"], now=rome) == sign(EXAMPLES["body"])


def test_a_secret_is_not_shown() -> None:
    assert repr(Keys("AKID", "secret-1", "secret-2")) == "Keys(access_key='AKID')"


WORDS = st.text("abcXYZ019-._~", min_size=1, max_size=12)
PATHS = st.text("abXY09-._~/%:@!$&'()*+,;= é", max_size=30)
QUERIES = st.lists(st.tuples(WORDS, WORDS), max_size=3).map(lambda pairs: "&".join(map("=".join, pairs)))
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
HEADERS = st.dictionaries(WORDS.map(lambda word: f"x-own-{word.lower()}"), VALUES, max_size=4)


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=PATHS,
    query=QUERIES,
    headers=HEADERS,
    body=st.binary(max_size=200),
    secret=st.text(min_size=1, max_size=40),
    token=st.none() | st.from_regex(r"[A-Za-z0-9/+=]{1,60}", fullmatch=True),
    region=st.sampled_from(["us-east-1", "eu-south-2", "us-gov-west-1"]),
    service=st.sampled_from(["ses", "sms-voice"]),
    port=st.sampled_from(["", ":8025"]),
)
def test_it_is_what_botocore_would_write(
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    secret: str,
    token: str | None,
    region: str,
    service: str,
    port: str,
) -> None:
    auth = pytest.importorskip("botocore.auth", reason="botocore is not installed")
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 (it may be missing)
    from botocore.credentials import Credentials  # noqa: PLC0415

    url = f"http://example.com{port}/{path}{'?' if query else ''}{query}"
    told = {"host": f"example.com{port}", "content-type": "application/json", **headers}
    theirs = AWSRequest(method, url, headers=told, data=body)
    auth.SigV4Auth(Credentials("AKIDEXAMPLE", secret, token), service, region).add_auth(theirs)
    at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signature(
        method, url, told, body, keys=Keys("AKIDEXAMPLE", secret, token), region=region, service=service, now=at
    )
    assert ours == {name.lower(): value for name, value in theirs.headers.items() if name not in told}
    assert re.fullmatch(r".*Signature=[0-9a-f]{64}", ours["authorization"])
