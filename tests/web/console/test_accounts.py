"""Accounts, passwords and sessions: nobody gets in without one, and nobody stays longer than they should."""

import re
from datetime import timedelta

import pytest
from console_visiting import NOW, Visiting
from shop import at
from sqlalchemy import select, update

from automation.database.accounts import sessions, sign_ins, user_links, users
from automation.database.schema import audit_log
from automation.errors import BadInput
from automation.web.accounts.sessions import (
    IDLE,
    LASTS,
    MOST_BY_NAME,
    WITHIN,
    TooManyTries,
    open_session,
    person_of,
    sign_in,
)
from automation.web.accounts.users import (
    Person,
    _hasher,
    add_user,
    choose_password,
    close_user,
    hashed,
    new_link,
    set_role,
)
from automation.web.console.call import COOKIE

PASSWORD = "correct horse battery staple"
MOMENT = at(NOW)


def invite(console: Visiting, name: str = "bea", role: str = "support") -> str:
    with console.database.writing() as connection:
        return add_user(connection, name, role, "Ada", MOMENT)


def accept(console: Visiting, name: str = "bea", role: str = "support") -> None:
    token = invite(console, name, role)
    with console.database.writing() as connection:
        assert choose_password(connection, token, hashed(PASSWORD), MOMENT) == name


def cookie_of(header: str) -> str:
    found = re.match(rf"{COOKIE}=([^;]+);", header)
    assert found is not None
    return found[1]


def test_there_is_no_account_before_somebody_adds_one(console: Visiting) -> None:
    assert console.shop.rows(users) == []
    assert sign_in(console.database, "admin", "admin", "peer", MOMENT) is None


def test_a_link_leads_to_a_password_and_is_good_once(console: Visiting) -> None:
    path = f"/welcome/{invite(console)}"
    outside = console.outside()
    assert "bea" in outside.get(path).text
    first = outside.post(path, data={"password": PASSWORD, "again": PASSWORD})
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert outside.get(path).status_code == outside.post(path, data={"password": "x"}).status_code == 404
    assert sign_in(console.database, " Bea ", PASSWORD, "peer", MOMENT) is not None


@pytest.mark.parametrize(("password", "again"), [("short", "short"), (PASSWORD, "another one, longer"), ("", "")])
def test_a_password_that_will_not_do_leaves_the_link_good(console: Visiting, password: str, again: str) -> None:
    path = f"/welcome/{invite(console)}"
    assert console.outside().post(path, data={"password": password, "again": again}).status_code == 422
    assert console.outside().get(path).status_code == 200


def test_a_link_ends_after_three_days_and_with_the_next_one(console: Visiting) -> None:
    token = invite(console)
    with console.database.writing() as connection:
        assert choose_password(connection, token, "hash", MOMENT + timedelta(days=3)) is None
        new_link(connection, "bea", "Ada", MOMENT)
        assert choose_password(connection, token, "hash", MOMENT) is None


def test_the_cookie_goes_only_over_tls_only_to_this_host_and_to_no_script(console: Visiting) -> None:
    accept(console)
    answer = console.outside().post("/sign-in", data={"name": "bea", "password": PASSWORD, "next": "/audit"})
    header = answer.headers["set-cookie"]
    assert header.startswith("__Host-session=")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(header.split("; "))
    assert "Domain" not in header
    assert answer.headers["location"] == "/audit"


@pytest.mark.parametrize(
    "to", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "x\n"]
)
def test_signing_in_never_leads_to_another_host(console: Visiting, to: str) -> None:
    accept(console)
    answer = console.outside().post("/sign-in", data={"name": "bea", "password": PASSWORD, "next": to})
    assert answer.headers["location"] == "/"


def test_neither_password_nor_token_is_kept(console: Visiting) -> None:
    accept(console)
    token = sign_in(console.database, "bea", PASSWORD, "peer", MOMENT)
    kept = [str(row) for table in (users, user_links, sessions, audit_log) for row in console.shop.rows(table)]
    assert token is not None
    assert not any(token in row or PASSWORD in row for row in kept)
    assert "$argon2id$" in kept[0]


def test_to_guess_a_password_costs_what_owasp_asks_for() -> None:
    """Argon2id with 19 MiB and two rounds at the least: OWASP Password Storage Cheat Sheet."""
    costs = dict(cost.split("=") for cost in _hasher().hash(PASSWORD).split("$")[3].split(","))
    assert int(costs["m"]) >= 19 * 1024
    assert int(costs["t"]) >= 2


@pytest.mark.parametrize("name", ["bea", "nobody", "x" * 1000, "'; --", ""])
def test_a_wrong_name_and_a_wrong_password_get_one_answer(console: Visiting, name: str) -> None:
    accept(console)
    answer = console.outside().post("/sign-in", data={"name": name, "password": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_who_tries_too_often_waits_a_quarter_of_an_hour(console: Visiting) -> None:
    accept(console)
    for _ in range(MOST_BY_NAME):
        assert sign_in(console.database, "bea", "wrong password", "peer", MOMENT) is None
    with pytest.raises(TooManyTries):
        sign_in(console.database, "bea", PASSWORD, "another peer", MOMENT)
    assert console.outside().post("/sign-in", data={"name": "bea", "password": PASSWORD}).status_code == 429
    assert sign_in(console.database, "bea", PASSWORD, "peer", MOMENT + WITHIN) is not None
    assert console.shop.rows(sign_ins) != []


def test_a_session_ends_after_half_a_day_and_when_nobody_uses_it(console: Visiting) -> None:
    accept(console)
    with console.database.writing() as connection:
        token = open_session(connection, "bea", MOMENT)
    bea = Person("bea", "support")
    assert person_of(console.database, token, MOMENT + IDLE) is None
    for hours in (3, 6, 9):
        assert person_of(console.database, token, MOMENT + timedelta(hours=hours)) == bea
    assert person_of(console.database, token, MOMENT + LASTS) is None
    assert person_of(console.database, "made up", MOMENT) is None


def test_signing_out_ends_the_session_itself(console: Visiting) -> None:
    support = console.signed_in("support")
    assert support.get("/account").status_code == 200
    assert support.post("/sign-out").status_code == 303
    assert support.get("/account").status_code == 303


def test_a_closed_account_and_a_new_role_count_at_once(console: Visiting) -> None:
    support = console.signed_in("support")
    console.signed_in("admin")
    with console.database.writing() as connection:
        set_role(connection, "support", "viewer", "Ada", MOMENT)
    assert support.get("/audit").status_code == 403
    with console.database.writing() as connection:
        close_user(connection, "support", "Ada", MOMENT)
    assert support.get("/account").status_code == 303


def test_the_last_admin_stays_one(console: Visiting) -> None:
    admin = console.signed_in("admin")
    for path, data in (("/users/role", {"name": "admin", "role": "viewer"}), ("/users/close", {"name": "admin"})):
        answer = admin.post(path, data=data)
        assert answer.status_code == 422
        assert "only admin" in answer.text
    accept(console, "bea", "admin")
    assert admin.post("/users/close", data={"name": "admin"}).status_code == 303


def test_an_admin_gives_an_account_by_a_link_that_is_shown_once(console: Visiting) -> None:
    admin = console.signed_in("admin")
    page = admin.post("/users", data={"name": "Bea", "role": "marketer"}).text
    (path,) = re.findall(r"/welcome/[\w-]+", page)
    assert "/welcome/" not in admin.get("/users").text
    answer = console.outside().post(path, data={"password": PASSWORD, "again": PASSWORD})
    token = cookie_of(answer.headers["set-cookie"])
    assert person_of(console.database, token, MOMENT) == Person("bea", "marketer")
    assert admin.post("/users", data={"name": "bea"}).status_code == 422
    assert [row.act for row in console.shop.rows(audit_log)] == ["user_added", "user_password"]


@pytest.mark.parametrize("name", ["", "a b", "ümlaut", "x" * 65, "-x", "<script>"])
def test_a_name_that_will_not_do_is_refused(console: Visiting, name: str) -> None:
    answer = console.signed_in("admin").post("/users", data={"name": name, "role": "viewer"})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


def test_a_closed_account_is_opened_again_without_its_password(console: Visiting) -> None:
    accept(console)
    with console.database.writing() as connection:
        close_user(connection, "bea", "Ada", MOMENT)
    assert sign_in(console.database, "bea", PASSWORD, "peer", MOMENT) is None
    invite(console)
    assert sign_in(console.database, "bea", PASSWORD, "peer", MOMENT) is None


def test_an_unknown_name_is_told_the_nearest(console: Visiting) -> None:
    invite(console)
    with console.database.writing() as connection, pytest.raises(BadInput, match='did you mean "bea"'):
        set_role(connection, "beat", "viewer", "Ada", MOMENT)


def test_another_password_needs_the_one_so_far_and_signs_out_everywhere_else(console: Visiting) -> None:
    support, elsewhere = console.signed_in("support"), console.outside()
    with console.database.writing() as connection:
        connection.execute(update(users).values(password_hash=hashed(PASSWORD)))
        elsewhere.headers["cookie"] = f"{COOKIE}={open_session(connection, 'support', MOMENT)}"
    chosen = {"password": "another good sentence", "again": "another good sentence"}
    assert support.post("/account", data={"current": "wrong", **chosen}).status_code == 422
    answer = support.post("/account", data={"current": PASSWORD, **chosen})
    assert answer.status_code == 303
    assert elsewhere.get("/account").status_code == 303
    token = cookie_of(answer.headers["set-cookie"])
    assert person_of(console.database, token, MOMENT) == Person("support", "support")
    with console.database.reading() as connection:
        assert len(connection.execute(select(sessions)).all()) == 1
