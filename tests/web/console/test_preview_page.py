"""Previews: what a customer would get, as the command line shows it, in frames that can do nothing."""

import html
import json
import sys
from collections.abc import Callable, Iterator

import pytest
from console_visiting import Visiting, visiting
from shop import Shop, playbook, step

from automation.cli import main

NOW = "2026-03-03T12:00:00Z"
BODY = """+++
subject = "Hello {{ customer.first_name | default('there') }}"
+++
You gave us {{ customer.contact | default('nothing') }} and ordered {{ facts.orders }} times.
"""
NEEDS = "Dear {{ customer.nickname }}, 2 for 1"
Told = Callable[..., dict[str, str]]


@pytest.fixture
def written(shop: Shop) -> Shop:
    steps = step("one") + step("two", "hello/text", "sms")
    steps += '[[steps.variants]]\nkey = "short"\ntemplate = "hello/short"\nweight = 0.5\n'
    shop.write(care=playbook(steps, name="Care"))
    (shop.folder / "templates/hello/hello.en.md").write_text(BODY)
    (shop.folder / "templates/hello/hello.it.md").write_text(BODY.replace("Hello", "Ciao"))
    (shop.folder / "templates/hello/short.en.txt").write_text(NEEDS)
    shop.customers("ada", first_name="Ada", contact="ada@example.com", locale="it")
    names = {"first_name": "<script>alert(1)</script>", "nickname": "“B”"}
    shop.customers("bob & <b>/?#", email="bob@example.com", contact="+12015550123", **names)
    return shop


@pytest.fixture
def console(written: Shop) -> Iterator[Visiting]:
    with visiting(written, NOW) as found:
        yield found


@pytest.fixture
def told(written: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """`automation preview --json`."""

    def run(*words: str) -> dict[str, str]:
        config = str(written.folder / "config.toml")
        monkeypatch.setattr(sys, "argv", ["automation", "preview", "care", *words, "--config", config, "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        found: dict[str, str] = json.loads(capsys.readouterr().out)
        return found

    return run


@pytest.mark.parametrize("customer", [None, "ada", "bob & <b>/?#"])
@pytest.mark.parametrize("locale", [None, "it", "en"])
def test_a_preview_is_that_of_the_command_line(
    console: Visiting, told: Told, customer: str | None, locale: str | None
) -> None:
    asked = {"step": "one", "customer": customer or "", "locale": locale or ""}
    given = {"--customer": customer, "--locale": locale}
    same = told("one", *(word for key, value in given.items() if value for word in (key, value)))
    support = console.signed_in("support")
    assert support.get("/playbooks/care/preview/frame", params=asked).text == same["html"]
    page = support.get("/playbooks/care/preview", params=asked)
    assert page.status_code == 200
    assert html.escape(same["subject"], quote=False).replace("'", "&#39;") in page.text
    assert "<script>alert" not in page.text
    assert page.text.count("<iframe") == page.text.count(" sandbox ") == 2


def test_a_frame_loads_nothing_runs_nothing_and_leads_nowhere(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    policy = visitor.get("/playbooks/care/preview/frame?step=one").headers["content-security-policy"]
    rules = dict(one.partition(" ")[::2] for one in policy.split("; "))
    assert rules == {
        "sandbox": "",
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
    }
    outer = visitor.get("/playbooks/care/preview?step=one").headers["content-security-policy"]
    assert "frame-src 'self'" in outer
    assert "unsafe-inline" not in outer


def test_a_text_is_shown_with_what_it_costs(console: Visiting, told: Told) -> None:
    page = console.signed_in("viewer").get("/playbooks/care/preview?step=two")
    assert "Hello from the shop. Reply STOP to opt out." in page.text
    assert "Segments: 1, GSM-7, 43 units" in page.text
    assert "<iframe" not in page.text
    asked = {"step": "two", "variant": "short", "customer": "bob & <b>/?#"}
    page = console.signed_in("viewer").get("/playbooks/care/preview", params=asked)
    assert "UCS-2" in page.text
    assert told("two", "--variant", "short", "--customer", "bob & <b>/?#")["text"] in page.text


@pytest.mark.parametrize(("customer", "contact"), [("ada", "ada@example.com"), ("bob & <b>/?#", "+12015550123")])
def test_a_marketer_reads_masks_until_they_say_why(console: Visiting, customer: str, contact: str) -> None:
    asked = {"step": "one", "customer": customer}
    marketer = console.signed_in("marketer")
    paths = ("/playbooks/care/preview", "/playbooks/care/preview/frame")
    assert not any(contact in marketer.get(path, params=asked).text for path in paths)
    assert all(contact in console.signed_in("support").get(path, params=asked).text for path in paths)
    marketer.post("/unmask", data={"id": customer, "reason": "the address looks wrong in the mail"})
    assert all(contact in marketer.get(path, params=asked).text for path in paths)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("step=one&customer=nobody", "no customer has the id"),
        ("step=three", 'care has no step "three"'),
        ("step=two&variant=long", 'the step two has no variant "long"'),
        ("step=two&variant=short&customer=ada", "nickname"),
    ],
)
def test_what_cannot_be_shown_says_why_and_keeps_the_form(console: Visiting, query: str, message: str) -> None:
    page = console.signed_in("marketer").get(f"/playbooks/care/preview?{query}")
    assert page.status_code == 422
    assert message in html.unescape(page.text)
    assert 'name="customer"' in page.text
    assert console.signed_in("marketer").get(f"/playbooks/care/preview/frame?{query}").status_code in {400, 404}


def test_a_template_that_cannot_be_read_says_where(console: Visiting) -> None:
    (console.shop.folder / "templates/hello/hello.en.md").write_text('+++\nsubject = "x"\n+++\n{{ customer. }}\n')
    page = console.signed_in("viewer").get("/playbooks/care/preview?step=one")
    assert page.status_code == 422
    assert "templates/hello/hello.en.md:4" in page.text


def test_there_is_no_preview_of_a_playbook_that_cannot_be_read(console: Visiting) -> None:
    (console.shop.folder / "playbooks/care.toml").write_text("name = 3\n")
    answer = console.signed_in("viewer").get("/playbooks/care/preview")
    assert answer.status_code == 400
    assert "playbooks/care.toml:1" in answer.text
    assert console.signed_in("viewer").get("/playbooks/never/preview").status_code == 404
