"""Idempotency keys: https://resend.com/docs/dashboard/emails/idempotency-keys"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from automation.delivery.sandbox import resend
from automation.delivery.sandbox.exchange import Post, Result, stamp
from automation.delivery.sandbox.mailbox import Answered, Mailbox

REMEMBERED = timedelta(hours=24)
OTHER_BODY = resend.error(409, "invalid_idempotent_request", "Same idempotency key used with a different payload.")
CONCURRENT = resend.error(
    409, "concurrent_idempotent_requests", "Same idempotency key used while the original request is still in progress."
)


class Keys:
    """What was answered under which key is in the mailbox; what is being answered, here."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._handled: dict[str, str] = {}

    def recall(self, post: Post, result: Result) -> Result:
        """The first answer under the result's key, and nothing to take; or the result itself when it is the first."""
        if result.key is None:
            return result
        if result.key in self._handled:
            return CONCURRENT if self._handled[result.key] == _hash(post) else OTHER_BODY
        first = self._mailbox.answered(resend.KIND, result.key, stamp(post.at - REMEMBERED))
        if first is None:
            return result
        return Result(200, json.loads(first.answer)) if first.request == _hash(post) else OTHER_BODY

    @contextmanager
    def handling(self, post: Post, result: Result) -> Iterator[Answered | None]:
        """While its answer is under way, however that ends, a key is known as being handled."""
        if result.key is None:
            yield None
            return
        request = self._handled[result.key] = _hash(post)
        try:
            yield Answered(resend.KIND, result.key, request, stamp(post.at), json.dumps(result.payload))
        finally:
            del self._handled[result.key]


def _hash(post: Post) -> str:
    return hashlib.sha256(post.body).hexdigest()
