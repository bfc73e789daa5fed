"""Addresses are masked for those who need not read them; asking for one customer's is on record."""

from datetime import timedelta

import pytest
from console_visiting import NOW, Visiting
from hypothesis import given
from hypothesis import strategies as st
from shop import at

from automation.database.schema import audit_log
from automation.web.accounts.unmasking import LASTS, Sight, sight_of
from automation.web.accounts.users import Person
from automation.web.masks import hide_in, masked

MOMENT = at(NOW)
EMAIL, PHONE = "ada@example.com", "+12015550123"


def sight(console: Visiting, role: str, later: timedelta = timedelta()) -> Sight:
    with console.database.reading() as connection:
        return sight_of(connection, Person(role, role), MOMENT + later)


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_they_read_masks_until_they_say_why(console: Visiting, role: str) -> None:
    assert sight(console, role).of("ada", EMAIL) == "a…@e….com"
    visitor = console.signed_in(role)
    assert visitor.post("/unmask", data={"id": "ada", "reason": "  "}).status_code == 400
    assert visitor.post("/unmask", data={"id": "nobody", "reason": "she called"}).status_code == 404
    assert sight(console, role).of("ada", EMAIL) != EMAIL
    assert visitor.post("/unmask", data={"id": "ada", "reason": "she called"}).status_code == 303
    assert (sight(console, role).of("ada", EMAIL), sight(console, role).of("bob", EMAIL)) == (EMAIL, "a…@e….com")
    assert sight(console, role, LASTS).of("ada", EMAIL) == "a…@e….com"
    (row,) = [row for row in console.shop.rows(audit_log) if row.act == "unmasked"]
    assert (row.actor, row.about, row.note) == (role, "customer:ada", "she called")


def test_signing_out_masks_again(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    visitor.post("/unmask", data={"id": "ada", "reason": "she called"})
    visitor.post("/sign-out")
    assert not sight(console, "viewer").is_clear("ada")


@pytest.mark.parametrize("role", ["support", "admin"])
def test_support_staff_read_all_of_them(console: Visiting, role: str) -> None:
    assert sight(console, role).of("ada", EMAIL) == EMAIL
    assert sight(console, role).text("ada", f"to {EMAIL}") == f"to {EMAIL}"


@given(st.emails(), st.integers(10**8, 10**14))
def test_no_address_survives_its_mask(email: str, number: int) -> None:
    assert email not in hide_in(f"write to {email} today")
    assert f"+{number}" not in hide_in(f"call +{number}.")
    assert masked(f"+{number}") != f"+{number}"
    assert email.partition("@")[2] not in masked(email)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"Hello {EMAIL}!", "Hello a…@e….com!"),
        (f"call {PHONE} or (201) 555-0123", "call +12…123 or (201…123"),
        ("<a href='mailto:ada@example.com'>", "<a href='mailto:a…@e….com'>"),
        ("https://x.example/?e=ada%40example.com&b=1", "https:/…@e….com&b=1"),
        (
            "on 2026-03-03 12:00 for 1,234.50 EUR, code WB-12345678",
            "on 2026-03-03 12:00 for 1,234.50 EUR, code WB-12345678",
        ),
    ],
)
def test_addresses_are_found_in_any_text(text: str, hidden: str) -> None:
    assert hide_in(text) == hidden
