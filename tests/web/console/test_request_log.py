"""Each page is a line of the log, and none of them has an address, a token or a query in it."""

import logging
from typing import Any

import pytest
from console_visiting import Visiting
from serving import until


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, "automation.web.request_log")
    return lambda: [
        (one.method, one.page, one.status)  # type: ignore[attr-defined]
        for one in caplog.records
        if one.name == "automation.web.request_log"
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_is_told_by_its_pattern_and_never_by_its_address(
    console: Visiting, lines: Any, caplog: pytest.LogCaptureFixture
) -> None:
    support = console.signed_in("support")
    support.get("/customer?id=ada&q=ada%40example.com")
    support.get("/messages/77712345678")
    console.outside().get("/welcome/a-token-that-is-a-key")
    support.get("/ada@example.com/nowhere")
    support.get("/static/console.css")
    support.post("/health/pause", data={"scope": "everything", "reason": "ada@example.com"})
    until(lambda: len(lines()) == 5)  # the last is written when its answer has gone out
    assert lines() == [
        ("GET", "/customer", 200),
        ("GET", "/messages/{message_id}", 404),
        ("GET", "/welcome/{token}", 404),
        ("GET", "nowhere", 404),
        ("POST", "/health/pause", 303),
    ]
    told = "".join(str(vars(one)) for one in caplog.records if one.name == "automation.web.request_log")
    assert not any(hidden in told for hidden in ("ada", "a-token", "77712345678", "%40"))
    assert all(one.milliseconds >= 0 for one in caplog.records if hasattr(one, "milliseconds"))
