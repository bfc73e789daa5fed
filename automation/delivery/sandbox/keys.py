"""Idempotency keys, which one and the same request may be repeated with."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from automation.delivery.sandbox.exchange import Post, Result, stamp
from automation.delivery.sandbox.mailbox import Answered, Mailbox
from automation.delivery.sandbox.vendors import Vendor


class Keys:
    """What was answered under which key is in the mailbox; what is being answered, here."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._handled: dict[tuple[str, str], str] = {}

    def recall(self, vendor: Vendor, post: Post, result: Result) -> Result:
        """The first answer under the result's key, and nothing to take; or the result itself when it is the first."""
        rules, key = vendor.keys, result.key
        if rules is None or key is None:
            return result
        if (vendor.kind, key) in self._handled:
            return rules.concurrent if self._handled[vendor.kind, key] == _hash(post) else rules.other_body
        first = self._mailbox.answered(vendor.kind, key, stamp(post.at - rules.remembered))
        if first is None:
            return result
        if first.request != _hash(post):
            return rules.other_body
        return rules.same_body or Result(result.status, json.loads(first.answer))

    @contextmanager
    def handling(self, vendor: Vendor, post: Post, result: Result) -> Iterator[Answered | None]:
        """While its answer is under way, however that ends, a key is known as being handled."""
        if vendor.keys is None or result.key is None:
            yield None
            return
        request = self._handled[vendor.kind, result.key] = _hash(post)
        try:
            yield Answered(vendor.kind, result.key, request, stamp(post.at), json.dumps(result.payload))
        finally:
            del self._handled[vendor.kind, result.key]


def _hash(post: Post) -> str:
    return hashlib.sha256(post.body).hexdigest()
