"""What the sandbox took, as whoever tries things out reads it in the console."""

import re
from dataclasses import replace

import pytest
from console_visiting import NOW, Visiting, visiting
from shop import Shop

from automation.delivery.sandbox import SandboxServer
from automation.web.console.menu import menu_of


def page(console: Visiting, path: str = "/mailbox", role: str = "support") -> str:
    answer = console.signed_in(role).get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_newest_come_first_and_lead_to_our_own_message_and_its_page(console: Visiting) -> None:
    told = page(console)
    first, second = (row.message_id for row in console.shop.rows() if row.customer_id in {"ada", "bob"} and row.sent_at)
    assert "ada@example.com" in told
    html = console.signed_in("support").get("/mailbox").text
    assert f'href="/messages/{first}"' in html
    assert f'href="/messages/{second}"' in html
    numbers = [int(one) for one in re.findall(r'href="/mailbox/(\d+)"', html)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 2


def test_one_message_is_shown_with_its_text_and_its_html_in_a_frame_that_can_do_nothing(console: Visiting) -> None:
    (number, *_) = [one["id"] for one in console.shop.log()]
    told = page(console, f"/mailbox/{number}")
    assert "Come back, please." in told
    frame = console.signed_in("support").get(f"/mailbox/{number}/html")
    assert "Come back, please." in frame.text
    assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert 'sandbox loading="lazy"' in console.signed_in("support").get(f"/mailbox/{number}").text


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_who_may_not_read_addresses_sees_masks(console: Visiting, role: str) -> None:
    (number, *_) = [one["id"] for one in console.shop.log()]
    for path in ("/mailbox", f"/mailbox/{number}", f"/mailbox/{number}/html"):
        assert "ada@example.com" not in console.signed_in(role).get(path).text
        assert "bob@example.com" not in console.signed_in(role).get(path).text
    assert "a…@e….com" in page(console, role=role)


@pytest.mark.parametrize("path", ["/mailbox/999999", "/mailbox/0", "/mailbox/999999/html"])
def test_what_it_did_not_take_is_not_there(console: Visiting, path: str) -> None:
    assert console.signed_in("support").get(path).status_code == 404


def test_it_goes_page_by_page(console: Visiting) -> None:
    console.shop.customers(*(f"c{number:02}" for number in range(30)))
    console.shop.evaluate("2026-03-03T05:00:00Z")
    console.shop.send("2026-03-03T11:00:00Z")
    first, second = page(console), page(console, "/mailbox?page=2")
    assert len(re.findall(r"c\d\d@example.com", first)) == 25
    assert "Older" in first
    assert len(re.findall(r"c\d\d@example.com", second)) == 5
    assert "ada@example.com" in second
    assert "Newer" in second


@pytest.mark.parametrize("path", ["/mailbox", "/mailbox/1", "/mailbox/1/html"])
def test_a_sandbox_that_is_away_is_told_with_what_to_do(lived: Shop, path: str) -> None:
    with SandboxServer() as gone:
        pass
    away = replace(lived, url=gone.url)
    away.write()
    with visiting(away, NOW) as console:
        answer = console.signed_in("support").get(path)
    assert answer.status_code == 503
    assert "Start it with `automation sandbox`" in answer.text


def test_with_real_providers_there_is_no_mailbox(lived: Shop) -> None:
    real = replace(lived, url="https://api.example.com")
    real.write()
    with visiting(real, NOW) as console:
        answer = console.signed_in("admin").get("/mailbox")
        today = console.signed_in("admin").get("/").text
    assert answer.status_code == 404
    assert 'href="/mailbox"' not in today
    assert "mailbox" not in [one.key for one in menu_of("admin", trying=False)]
