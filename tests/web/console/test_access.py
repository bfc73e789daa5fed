"""Every page of the console has a row in the table of who may call it, and holds to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from console_access import ACCESS, EVERYBODY
from console_visiting import Visiting
from fastapi import APIRouter

from automation.web.console.menu import MENU
from automation.web.console.pages import ROUTERS

SEE_OTHER, FORBIDDEN = 303, 403
PLACE = re.compile(r"\{[^}]+\}")


def routes(routers: Any) -> Iterator[tuple[str, str]]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRouter):
                yield from routes([route])
            else:
                yield from ((method, route.path) for method in route.methods if method != "HEAD")


def asked(console: Visiting, role: str, method: str, path: str) -> Any:
    visitor = console.outside() if role == "nobody" else console.signed_in(role)
    return visitor.request(method, PLACE.sub("1", path), data={} if method == "POST" else None)


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    assert sorted(routes(ROUTERS)) == sorted(ACCESS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_role_gets_in_where_it_may_not_and_every_other_does(console: Visiting) -> None:
    found = {}
    for (method, path), roles in ACCESS.items():
        if path in {"/sign-in", "/sign-out", "/welcome/{token}"}:
            continue  # of people who are not signed in, or are not afterwards
        for role in sorted(EVERYBODY):
            found[method, path, role] = (asked(console, role, method, path).status_code != FORBIDDEN) == (role in roles)
    assert [key for key, as_told in found.items() if not as_told] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_is_not_signed_in_is_asked_to_and_learns_nothing(console: Visiting) -> None:
    for method, path in ACCESS:
        if "nobody" in ACCESS[method, path]:
            continue
        answer = asked(console, "nobody", method, path)
        assert (answer.status_code, answer.text) == (SEE_OTHER, ""), path
        assert answer.headers["location"].startswith("/sign-in")


def test_the_menu_leads_only_where_one_may_go() -> None:
    assert [entry.path for entry in MENU if entry.roles != ACCESS["GET", entry.path]] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_answer_says_what_a_browser_must_not_do(console: Visiting) -> None:
    for path in ("/audit", "/users", "/nowhere", "/static/console.css"):
        headers = console.signed_in("admin").get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_form_of_somebody_elses_page_does_nothing(console: Visiting, headers: dict[str, str]) -> None:
    answer = console.signed_in("admin").post("/users", data={"name": "mallory", "role": "admin"}, headers=headers)
    assert answer.status_code == FORBIDDEN
    assert "mallory" not in console.signed_in("admin").get("/users").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_without_a_word_about_where_it_comes_from_does_nothing(console: Visiting) -> None:
    visitor = console.outside()
    del visitor.headers["origin"]
    assert visitor.post("/sign-in", data={"name": "a", "password": "b"}).status_code == FORBIDDEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_that_is_too_long_is_not_read(console: Visiting) -> None:
    answer = console.signed_in("admin").post("/users", data={"name": "a" * 100_001})
    assert answer.status_code == 413
