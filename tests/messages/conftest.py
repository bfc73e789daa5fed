"""A small layout, one customer, and a short way to render a body."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automation.messages.render import Content, RenderContext, render
from automation.messages.sources import Kind
from automation.messages.templates import TemplateSource, compile_template

LAYOUT = """<mjml lang="{{ locale }}"><mj-head><mj-title>{{ subject }}</mj-title>
<mj-preview>{{ preheader }}</mj-preview></mj-head>
<mj-body>
{{ content }}
<mj-section><mj-column><mj-text>{{ business.postal_address }}
<a href="{{ unsubscribe_url }}">Leave</a></mj-text></mj-column></mj-section>
</mj-body></mjml>
"""
FOOTER = "Via Esempio 1 Leave <https://shop.example/u?a=1&b=2>"


def source_of(body: str, kind: Kind = "md", locale: str = "en", header: str = 'subject = "Hi"\n') -> TemplateSource:
    """A source; line 1 of an email's body is line 4 of its file."""
    if kind == "txt":
        return TemplateSource("win_back/hello", locale, kind, body, None)
    layout = None if "<mjml" in body else LAYOUT
    return TemplateSource("win_back/hello", locale, kind, f"+++\n{header}+++\n{body}", layout)


def context_of(**changes: Any) -> RenderContext:
    values: dict[str, Any] = {
        "customer": {"id": "c1", "first_name": "Anna"},
        "facts": {"orders": 4, "last_order": "2026-01-05T23:30:00Z", "revenue": 1234.5},
        "stage": "purchase",
        "offer": None,
        "business": {"name": "Shop", "postal_address": "Via Esempio 1", "public_url": "https://shop.example"},
        "unsubscribe_url": "https://shop.example/u?a=1&b=2",
        "preferences_url": "https://shop.example/p",
        "locale": "en",
        "zone": ZoneInfo("Europe/Rome"),
        "campaign": "win_back",
    }
    return RenderContext(**(values | changes))


Write = Callable[..., Content]


@pytest.fixture
def write() -> Write:
    """Renders a body: write("Hello", kind="txt", locale="pl", header="…", customer={…})."""

    def rendered(body: str, *, source: dict[str, Any] | None = None, **changes: Any) -> Content:
        return render(compile_template(source_of(body, **(source or {}))), context_of(**changes))

    return rendered


@pytest.fixture
def make_source() -> Callable[..., TemplateSource]:
    return source_of


@pytest.fixture
def make_context() -> Callable[..., RenderContext]:
    return context_of


@pytest.fixture
def footer() -> str:
    return FOOTER


@pytest.fixture
def layout() -> str:
    return LAYOUT
