"""The guide to adding a provider works as written."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from automation.delivery import replies
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, Adapter, classify
from automation.delivery.replies import Accepted, Answer, Refused, Reply, Unknown
from automation.settings import Provider

FOLDER = Path(classify.__file__).parent
GUIDE = (FOLDER / "README.md").read_text(encoding="utf-8")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ACCOUNT = Account("http://127.0.0.1:8025", "secret")
MAIL = Outgoing(
    message_id=7,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße",
    html="<p>Hi</p>",
    text="Hi",
    headers={},
    tag="welcome",
    kind="marketing",
)


@pytest.fixture(scope="module")
def acme() -> Adapter:
    """The guide's own example."""
    (example,) = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 (our own example)
    adapter: Adapter = names["Acme"]()
    return adapter


def reply(acme: Adapter, status: int, body: Any) -> Reply:
    answer = Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
    (found,) = acme.replies(answer, [MAIL], NOW)
    return found


def test_the_example_posts_a_message(acme: Adapter) -> None:
    request = acme.request([MAIL], ACCOUNT, None)
    assert str(request.url) == "http://127.0.0.1:8025/v1/send"
    assert json.loads(request.content) | {"custom_id": "7", "subject": "Grüße"} == json.loads(request.content)
    assert acme.size(MAIL, ACCOUNT) == len(request.content)
    assert request.content == acme.request([MAIL], ACCOUNT, None).content


def test_the_example_understands_its_answers(acme: Adapter) -> None:
    assert reply(acme, 200, {"id": "a-1"}) == Accepted("a-1", http_status=200)
    assert reply(acme, 200, []) == classify.taken_without_id(200)
    assert reply(acme, 500, {"code": "too_large"}) == Unknown("http_500", http_status=500)
    refused = reply(acme, 422, {"code": "unknown_mailbox", "text": "no ada@example.com here"})
    assert refused == Refused("unknown_mailbox", "recipient", "no [address] here", "bounced_hard", http_status=422)


def test_every_file_and_name_of_the_guide_exists() -> None:
    without_example = re.sub(r"^```.*?^```", "", GUIDE, flags=re.MULTILINE | re.DOTALL)
    root = FOLDER.parents[2]
    for name in re.findall(r"`([\w./]+(?:/|\.py|\.toml))`", without_example):
        places = (FOLDER / name, root / name, root / "tests/delivery" / name)
        assert any(place.exists() for place in places), name
    for name in re.findall(r"`classify\.(\w+)`", without_example):
        assert hasattr(classify, name)
    for name in re.findall(r"^\| `(\w+)\(", without_example, re.MULTILINE):
        assert getattr(replies, name) in get_args(Reply)


def test_every_kind_of_provider_has_an_adapter_and_an_address() -> None:
    kinds = set(get_args(Provider.model_fields["kind"].annotation))
    assert kinds == set(ADAPTERS)
    assert all(adapter.kind == kind for kind, adapter in ADAPTERS.items())
    assert all(adapter.base_url.startswith("https://") or kind == "mailpit" for kind, adapter in ADAPTERS.items())
