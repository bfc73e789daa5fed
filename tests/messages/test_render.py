"""One customer's message: values, what they lack, and what cannot be sent."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.errors import BadMessage
from automation.messages.render import Content, RenderContext, render, unsubscribe_headers
from automation.messages.templates import TemplateSource, compile_template

Write = Callable[..., Content]
SMS = {"kind": "txt"}
PERSON = "Zbigniew-Secret"


@pytest.mark.parametrize("customer", [{}, {"first_name": None}, {"first_name": ""}])
def test_a_customer_without_a_name_gets_the_default(write: Write, customer: dict[str, str | None]) -> None:
    assert write('Hi {{ customer.first_name | default("there") }}', source=SMS, customer=customer).text == "Hi there"
    assert write("{% if customer.first_name %}a{% else %}b{% endif %}", source=SMS, customer=customer).text == "b"


def test_a_fact_that_is_not_set_stops_the_message_unless_it_has_a_default(write: Write) -> None:
    assert write('{{ facts.nps | default("-") }}', source=SMS).text == "-"
    with pytest.raises(BadMessage, match=r"facts\.nps is not set for this customer; give it a default"):
        write("{{ facts.nps }}", source=SMS)
    for used in ("date", 'money("EUR")', 'plural(other="#")', "link"):
        with pytest.raises(BadMessage, match=r"facts\.nps is not set"):
            write(f"{{{{ facts.nps | {used} }}}}", source=SMS)


def test_zero_and_false_are_values(write: Write) -> None:
    assert (
        write(
            '{{ facts.orders | default("-") }} {{ facts.vip | default("-") }}',
            source=SMS,
            facts={"orders": 0, "vip": False},
        ).text
        == "0 False"
    )


def test_values_can_be_named_with_a_dot_or_in_brackets(write: Write) -> None:
    customer = {"first name": "Anna", "items": "pen", "shop": {"city": "Rome"}}
    body = '{{ customer["first name"] }} {{ customer.items }} {{ customer.shop.city }}'
    assert write(body, source=SMS, customer=customer).text == "Anna pen Rome"


def test_an_offer_that_is_there_shows_and_one_that_is_not_is_skipped(write: Write) -> None:
    body = '{% if offer %}{{ offer.code }} until {{ offer.expires | date("medium") }}{% endif %}'
    offer = {"code": "WB-1", "expires": datetime(2026, 3, 1, tzinfo=UTC)}
    assert write(body, source=SMS, offer=offer).text == "WB-1 until Mar 1, 2026"
    assert write(body, source=SMS, offer=None).text == ""


@pytest.mark.parametrize("text", ["a\nb", "a\r\nBcc: x@y.example", "a\x00b", "a\u2028b", "a\x85b"])
def test_a_subject_with_a_control_character_is_refused(write: Write, text: str) -> None:
    with pytest.raises(BadMessage, match="control character") as caught:
        write("x", source={"header": "subject = '{{ customer.first_name }}'\n"}, customer={"first_name": text})
    assert "Bcc" not in str(caught.value)


def test_a_subject_may_have_emoji_and_no_break_spaces(write: Write) -> None:
    name = "Zoë\u00a0👩\u200d👧"
    header = "subject = '{{ customer.first_name }}'\n"
    assert write("x", source={"header": header}, customer={"first_name": name}).subject == name


def test_half_a_character_is_refused_wherever_it_stands(write: Write) -> None:
    for source in (SMS, {}):
        with pytest.raises(BadMessage, match="surrogate"):
            write("{{ customer.first_name }}", source=source, customer={"first_name": "\ud83d"})


@pytest.mark.parametrize(
    "tag",
    [
        "{{ customer.first_name + 1 }}",
        "{{ customer.first_name | money('EUR') }}",
        "{{ customer.first_name | date }}",
        "{{ customer.first_name | link }}",
        "{{ 1 | money(customer.first_name) }}",
        "{{ 1 | date(customer.first_name) }}",
        "{{ {'a': 1}[customer.first_name] }}",
        "{{ customer.first_name | round }}",
        "{{ customer.first_name | join(1) | int / 0 }}",
    ],
)
def test_an_error_tells_the_file_and_nothing_of_the_customer(write: Write, tag: str) -> None:
    with pytest.raises(BadMessage, match=r"^templates/win_back/hello\.en\.txt: ") as caught:
        write(tag, source=SMS, customer={"first_name": PERSON})
    assert PERSON not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "tag",
    [
        "{% for i in range(2000) %}{% endfor %}",
        "{{ 'x' * 9000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% for i in range(1000) %}{% for j in range(1000) %}xxx{% endfor %}{% endfor %}",
        "{{ ''.__class__.__mro__ }}",
    ],
)
def test_a_template_can_neither_run_away_nor_break_out(write: Write, tag: str) -> None:
    with pytest.raises(BadMessage):
        write(tag, source=SMS)


def test_an_sms_has_only_text_and_no_line_for_a_condition(write: Write) -> None:
    content = write("Hi\n{% if stage %}\nyes\n{% endif %}\nbye\n", source=SMS)
    assert content == Content("sms", "", "", "Hi\nyes\nbye")


def test_dates_are_local_to_the_business_and_written_as_the_customer_does(write: Write) -> None:
    body = "{{ facts.last_order | date }} {{ facts.last_order | date('short') }}"
    assert write(body, source=SMS, locale="en").text == "January 6, 2026 1/6/26"
    assert write(body, source=SMS, locale="en-GB").text == "6 January 2026 06/01/2026"
    assert write(body, source=SMS | {"locale": "pl"}, locale="pl-PL").text == "6 stycznia 2026 6.01.2026"


def test_a_text_in_another_language_than_the_customers_keeps_its_own_dates(write: Write) -> None:
    assert write("{{ facts.last_order | date }}", source=SMS, locale="de").text == "January 6, 2026"
    assert write("{{ facts.last_order | date }}", source=SMS, locale="en-XX").text == "January 6, 2026"


@pytest.mark.parametrize("value", [date(2026, 1, 6), "2026-01-06", datetime(2026, 1, 5, 23, 30, tzinfo=UTC)])
def test_a_date_may_come_as_a_date_an_instant_or_their_text(write: Write, value: object) -> None:
    assert write("{{ facts.d | date }}", source=SMS, facts={"d": value}).text == "January 6, 2026"


def test_an_instant_without_an_offset_is_refused(write: Write) -> None:
    for value in ("2026-01-06T10:00:00", datetime(2026, 1, 6)):  # noqa: DTZ001 (it is what is refused)
        with pytest.raises(BadMessage, match="no instant"):
            write("{{ facts.d | date }}", source=SMS, facts={"d": value})


@pytest.mark.parametrize("value", [1234.5, Decimal("1234.50"), "1234.5"])
def test_money_is_written_as_the_locale_does(write: Write, value: object) -> None:
    body = '{{ facts.revenue | money("EUR") }}'
    assert write(body, source=SMS, facts={"revenue": value}).text == "€1,234.50"
    polish = write(body, source={"locale": "pl"}, locale="pl", facts={"revenue": value})
    assert "1\u00a0234,50\u00a0€" in polish.text


def test_an_sms_has_plain_spaces_in_amounts_since_others_double_its_price(write: Write) -> None:
    text = write('{{ facts.revenue | money("EUR") }}', source=SMS | {"locale": "pl"}, locale="pl").text
    assert text == "1 234,50 €"


@pytest.mark.parametrize(("count", "words"), [(1, "1 zakup"), (2, "2 zakupy"), (5, "5 zakupów"), (22, "22 zakupy")])
def test_plurals_follow_the_language(write: Write, count: int, words: str) -> None:
    body = '{{ facts.orders | plural(one="# zakup", few="# zakupy", many="# zakupów") }}'
    assert write(body, source=SMS | {"locale": "pl"}, locale="pl", facts={"orders": count}).text == words
    assert write(body, source=SMS | {"locale": "pl"}, locale="pl", facts={"orders": Decimal(count)}).text == words


def test_a_plural_groups_its_digits(write: Write) -> None:
    body = '{{ facts.orders | plural(one="# order", other="# orders") }}'
    assert write(body, source=SMS, facts={"orders": 12345}).text == "12,345 orders"


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://a.example", "https://a.example?utm_source=lifecycle&utm_medium=sms&utm_campaign=win_back"),
        (
            "https://a.example/?b=1#c",
            "https://a.example/?b=1&utm_source=lifecycle&utm_medium=sms&utm_campaign=win_back#c",
        ),
        ("http://a.example/?utm_source=me", "http://a.example/?utm_source=me&utm_medium=sms&utm_campaign=win_back"),
    ],
)
def test_a_link_gains_the_playbooks_parameters_and_keeps_its_own(write: Write, url: str, linked: str) -> None:
    assert write("{{ facts.url | link }}", source=SMS, facts={"url": url}).text == linked


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a.example", "/path", "https://a b", "https://a\n", "data:,x"]
)
def test_a_link_is_a_whole_web_address(write: Write, url: str) -> None:
    with pytest.raises(BadMessage, match="whole web address"):
        write("{{ facts.url | link }}", source=SMS, facts={"url": url})


def test_a_template_says_which_values_it_uses(make_source: Callable[..., TemplateSource]) -> None:
    body = 'Hi {{ customer["first_name"] }} {% if facts.orders > 1 and offer %}{{ offer.code }}{% endif %}{{ stage }}'
    names = compile_template(make_source(body, header="subject = '{{ facts.nps }}'\n")).names
    assert names == {"customer.first_name", "facts.orders", "facts.nps", "offer", "offer.code", "stage",
                     "unsubscribe_url", "business.postal_address"}  # fmt: skip


def test_the_values_a_template_names_are_all_it_needs(
    make_source: Callable[..., TemplateSource], make_context: Callable[..., RenderContext]
) -> None:
    template = compile_template(make_source("{{ customer.first_name }} {{ facts.orders }}"))
    few = make_context(customer={"first_name": "Anna"}, facts={"orders": 4})
    assert render(template, few) == render(template, make_context())


def test_one_click_headers_follow_rfc_8058() -> None:
    assert unsubscribe_headers("https://shop.example/u/t") == {
        "List-Unsubscribe": "<https://shop.example/u/t>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@pytest.mark.parametrize("url", ["https://a.example/\r\nBcc: x", "https://a.example/>", "https://ą.example/"])
def test_an_address_that_would_break_its_header_is_refused(url: str) -> None:
    with pytest.raises(BadMessage):
        unsubscribe_headers(url)


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1))
def test_any_name_is_rendered_whole(name: str) -> None:
    template = compile_template(TemplateSource("a/b", "en", "txt", "[{{ customer.first_name }}]", None))
    context = {"customer": {"first_name": name}, "locale": "en", "zone": UTC, "campaign": "c"}
    assert template.render(context).text == f"[{name}]"
