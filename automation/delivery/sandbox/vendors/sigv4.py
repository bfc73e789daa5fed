"""How calls to Amazon's services are signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html

The sandbox does not know anybody's secret, so it is only looked at whether the signature is one for this service.
"""

import re

from automation.delivery.sandbox.exchange import Post

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[A-Za-z0-9_]{16,128}/([0-9]{8})/([a-z0-9-]+)/([a-z-]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)
DATE = re.compile(r"([0-9]{8})T[0-9]{6}Z")


def unsigned(post: Post, service: str) -> tuple[str, str] | None:
    """The name of the error and its words; None where the call is signed for that service."""
    given, at = post.headers.get("authorization", ""), DATE.fullmatch(post.headers.get("x-amz-date", ""))
    if not given:
        return "MissingAuthenticationTokenException", "Missing Authentication Token"
    found = AUTHORIZATION.fullmatch(given)
    if found is None or at is None:
        return "IncompleteSignatureException", "The Authorization header or X-Amz-Date is not well formed."
    day, _, named, headers = found.groups()
    if named != service:
        return "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
    if day != at[1] or not {"host", "x-amz-date"} <= set(headers.split(";")):
        return "InvalidSignatureException", "Date in Credential scope does not match, or a header is not signed."
    return None
