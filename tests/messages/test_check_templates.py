"""What a marketer is told about a template, and where."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automation.errors import BadFiles, BadMessage, Problem
from automation.messages.check import check_files, check_template
from automation.messages.templates import TemplateSource, choose_locale, compile_template, find, read_sources

Make = Callable[..., TemplateSource]
FACTS = ("orders", "last_order", "revenue")


def told(problems: list[Problem]) -> list[tuple[int, int, str, str, str]]:
    return [(one.line, one.column, one.severity, one.message, one.hint) for one in problems]


def test_the_example_of_the_format_is_in_order(make_source: Make) -> None:
    body = (
        'Hello {{ customer.first_name | default("there") }}, your last order was on {{ facts.last_order | date }}.\n\n'
        '[Come back]({{ "https://shop.example/" | link }})\n'
    )
    assert check_template(make_source(body), FACTS, None) == []


def test_unknown_names_are_errors_with_their_place_and_the_nearest_name(make_source: Make) -> None:
    source = make_source("Hi\n\n{{ facts.orders }} {{ facts.odrers }} {{ custmer.id }} {{ business.nmae }}")
    assert told(check_template(source, FACTS, None)) == [
        (6, 23, "error", 'unknown name "facts.odrers"', 'did you mean "orders"?'),
        (6, 42, "error", 'unknown name "custmer"', 'did you mean "customer"?'),
        (6, 59, "error", 'unknown name "business.nmae"', 'did you mean "name"?'),
    ]


def test_names_in_the_header_have_their_place_too(make_source: Make) -> None:
    source = make_source("x", header='subject = "Hi"\npreheader = "é {{ facts.odrers }}"\n')
    assert [(one.line, one.column) for one in check_template(source, FACTS, None)] == [(3, 19)]


def test_an_attribute_nobody_has_yet_is_a_warning(make_source: Make) -> None:
    source = make_source('{{ customer.plna | default("-") }} {{ customer.first_name | default("-") }}')
    assert told(check_template(source, FACTS, ["plan"])) == [
        (4, 4, "warning", 'no customer has the attribute "plna" yet', 'did you mean "plan"?')
    ]
    assert check_template(source, FACTS, None) == []


def test_a_name_without_a_default_is_told_at_its_place(make_source: Make) -> None:
    (one,) = check_template(make_source("Hi\nthere {{ customer.first_name }}"), FACTS, None)
    assert (one.line, one.column, one.severity) == (5, 10, "warning")
    assert one.hint == 'give it a default: {{ customer.first_name | default("…") }}'


def test_an_offer_needs_a_playbook_with_one_or_a_condition(make_source: Make) -> None:
    plain = make_source("Code {{ offer.code }} until {{ offer.expires | date }}")
    assert {one.message for one in check_template(plain, FACTS, None)} == {"the playbook has no offer"}
    assert check_template(plain, FACTS, None, has_offer=True) == []
    assert check_template(make_source("x {% if offer %}{{ offer.code }}{% endif %}"), FACTS, None) == []


def test_loops_and_variables_of_the_template_are_no_unknown_names(make_source: Make) -> None:
    body = "{% set n = 3 %}{% for i in range(n) %}{{ i }}{{ loop.index }}{% endfor %}"
    assert check_template(make_source(body), FACTS, None) == []


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("a\n{{ facts.orders | monye('EUR') }}", (5, 19), 'unknown filter "monye"'),
        ("a {{ stage | safe }}", (4, 14), 'unknown filter "safe"'),
        ("a\n\nb {{ stage }", (6, 3), "this tag cannot be read: unexpected '}'"),
        ("{% if stage is nice %}a{% endif %}", (4, 16), 'unknown test "nice"'),
        ("a {{ facts }}", (4, 6), 'say which value of "facts"'),
        ("a {{ facts[stage] }}", (4, 6), 'say which value of "facts"'),
        ("a {{ stage.upper() }}", (4, 11), '"upper()" cannot be called'),
        ("{% set facts = 1 %}a", (4, 8), '"facts" has a meaning already'),
        ("a {% include 'x' %}", (4, 3), "a template stands alone"),
        ("{% autoescape false %}a{% endautoescape %}", (4, 1), "escaping cannot be switched off"),
    ],
)
def test_mistakes_in_tags_are_found_before_anything_is_rendered(
    make_source: Make, body: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(BadFiles) as caught:
        compile_template(make_source(body))
    (one, *_) = caught.value.problems
    assert ((one.line, one.column), one.message) == (place, message)


@pytest.mark.parametrize(
    ("header", "place", "message"),
    [
        ('subjct = "Hi"\n', (2, 1), 'unknown key "subjct"'),
        ("subject = \n", (2, 11), "this is no value"),
        ('preheader = "x"\n', (1, 1), 'the key "subject" is missing'),
        ('subject = "{{ x"\n', (2, 12), "this tag cannot be read"),
    ],
)
def test_mistakes_in_the_header_have_their_line(
    make_source: Make, header: str, place: tuple[int, int], message: str
) -> None:
    problems = check_template(make_source("x", header=header), FACTS, None)
    assert any((one.line, one.column) == place and one.message.startswith(message) for one in problems)


def test_an_email_without_header_or_body_is_refused(make_source: Make) -> None:
    bare = TemplateSource("a/b", "en", "md", "Hello", None)
    assert [one.message for one in check_template(bare, FACTS, None)] == [
        "an email starts with a header between two lines +++"
    ]
    assert "there is no body" in [one.message for one in check_template(make_source("\n"), FACTS, None)]


def test_an_email_without_address_or_unsubscribe_link_is_refused(make_source: Make) -> None:
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    assert {one.message for one in check_template(make_source(body, "mjml"), FACTS, None)} == {
        "every email needs a visible unsubscribe link",
        "every email needs the postal address",
    }


def test_a_plural_that_lacks_a_form_of_its_language_is_a_warning(make_source: Make) -> None:
    body = "Hi\n{{ facts.orders | plural(one='# a', other='# b') }}"
    (one,) = check_template(make_source(body, locale="pl"), FACTS, None)
    assert (one.line, one.column, one.severity) == (5, 19, "warning")
    assert one.message.endswith("few, many")
    assert check_template(make_source(body), FACTS, None) == []


def test_an_sms_of_more_than_two_segments_is_a_warning_with_its_costly_characters(make_source: Make) -> None:
    (one,) = check_template(make_source("a" * 100 + "\n“" + "b" * 60, "txt"), FACTS, None)
    assert (one.line, one.column, one.severity) == (2, 1, "warning")
    assert "billed as 3 (UCS-2" in one.message
    assert "“ (U+201C)" in one.hint
    assert check_template(make_source("a" * 306, "txt"), FACTS, None) == []


def test_a_message_that_no_sample_customer_could_get_is_refused(make_source: Make) -> None:
    (one,) = check_template(make_source('{{ "javascript:x" | link }}', "txt"), FACTS, None)
    assert one.severity == "error"
    assert "whole web address" in one.message


def test_a_filter_that_does_not_fit_the_type_of_its_fact_is_refused(make_source: Make) -> None:
    types = {"orders": "number", "last_order": "instant"}
    assert check_template(make_source("{{ facts.last_order | date }}", "txt"), types, None) == []
    (one,) = check_template(make_source("{{ facts.orders | date }}", "txt"), types, None)
    assert "no instant" in one.message


@pytest.fixture
def root(tmp_path: Path, layout: str) -> Path:
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "win_back").mkdir()
    (tmp_path / "_layouts/default.mjml").write_text(layout, encoding="utf-8")
    return tmp_path


def put(root: Path, name: str, text: str = "+++\nsubject = 'Hi'\n+++\nHello\n") -> Path:
    path = root / "win_back" / name
    path.write_text(text, encoding="utf-8")
    return path


def test_each_channel_finds_its_files_by_locale(root: Path) -> None:
    files = {name: put(root, name) for name in ("hi.en.md", "hi.pl-PL.mjml", "hi.en.txt", "hi_there.en.md", "hi.md")}
    assert find(root, "win_back/hi", "email") == {"en": files["hi.en.md"], "pl-PL": files["hi.pl-PL.mjml"]}
    assert find(root, "win_back/hi", "sms") == {"en": files["hi.en.txt"]}


def test_two_emails_for_one_locale_are_refused(root: Path) -> None:
    put(root, "hi.en.md")
    put(root, "hi.en.mjml")
    with pytest.raises(BadFiles, match=r'hi\.en\.mjml: there are two files for locale "en"'):
        find(root, "win_back/hi", "email")


@pytest.mark.parametrize("name", ["../win_back/hi", "/etc/passwd", "win_back//hi", "win_back/*", ""])
def test_a_template_name_cannot_leave_its_folder(root: Path, name: str) -> None:
    with pytest.raises(BadFiles, match="no template name"):
        find(root, name, "email")


def test_a_file_whose_locale_is_none_is_refused(root: Path) -> None:
    put(root, "hi.english.md")
    with pytest.raises(BadFiles, match='"english" is no locale'):
        find(root, "win_back/hi", "email")


def test_a_missing_template_suggests_the_nearest(root: Path) -> None:
    put(root, "we_miss_you.en.md")
    with pytest.raises(BadFiles, match='did you mean "win_back/we_miss_you"'):
        read_sources(root, "win_back/we_mis_you", "email")


def test_a_source_holds_its_layout_and_plain_line_ends(root: Path, layout: str) -> None:
    path = put(root, "hi.en.md")
    path.write_bytes(b"\xef\xbb\xbf+++\r\nsubject = 'Hi'\r\n+++\r\nHello\r\n")
    expected = TemplateSource("win_back/hi", "en", "md", "+++\nsubject = 'Hi'\n+++\nHello\n", layout)
    assert read_sources(root, "win_back/hi", "email") == {"en": expected}


def test_a_missing_layout_is_told_where_it_is_named(root: Path) -> None:
    path = put(root, "hi.en.md", "+++\nsubject = 'Hi'\nlayout = \"defualt\"\n+++\nHello\n")
    with pytest.raises(BadFiles) as caught:
        read_sources(root, "win_back/hi", "email")
    assert str(caught.value) == f'{path}:3:10: there is no layout "defualt"\n    did you mean "default"?'


def test_a_file_that_is_not_utf8_is_refused(root: Path) -> None:
    put(root, "hi.en.txt").write_bytes(b"caf\xe9")
    with pytest.raises(BadFiles, match="is not UTF-8"):
        read_sources(root, "win_back/hi", "sms")


def test_problems_name_files_as_they_lie_on_this_machine(root: Path) -> None:
    path = put(root, "hi.en.md", "+++\nsubject = 'Hi'\n+++\n{{ facts.odrers }}\n")
    layout = root / "_layouts/default.mjml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("business.postal_address", "business.adress"))
    found = check_files(root, "win_back/hi", "email", default_locale="en", known_facts=FACTS)
    assert {(one.file, one.line) for one in found} == {(str(path), 4), (str(layout), 5), (str(layout), 1)}


def test_the_locale_of_the_business_must_be_there(root: Path) -> None:
    put(root, "hi.pl.md")
    (one,) = check_files(root, "win_back/hi", "email", default_locale="en", known_facts=FACTS)
    assert 'no template file for locale "en"' in one.message


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("pl-PL", "pl-PL"),
        ("pl_pl", "pl-PL"),
        ("pl-US", "pl"),
        ("zh-Hant-TW", "zh-Hant"),
        ("de", "en"),
        (None, "en"),
        ("", "en"),
    ],
)
def test_a_locale_falls_back_to_its_language_and_then_to_the_business(wanted: str | None, chosen: str) -> None:
    assert choose_locale(wanted, ["en", "pl", "pl-PL", "zh-Hant"], "en") == chosen


def test_without_the_locale_of_the_business_there_is_nothing_to_fall_back_to() -> None:
    with pytest.raises(BadMessage, match='locale "en"'):
        choose_locale("de", ["pl"], "en")
