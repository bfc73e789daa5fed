"""Markdown and MJML become HTML and text, and tags come out where they went in."""

from collections.abc import Callable

import pytest

from automation.errors import BadFiles
from automation.messages.render import Content
from automation.messages.templates import TemplateSource, compile_template

Write = Callable[..., Content]
Make = Callable[..., TemplateSource]


def problem(source: TemplateSource) -> tuple[int, int, str]:
    with pytest.raises(BadFiles) as caught:
        compile_template(source)
    first = caught.value.problems[0]
    return first.line, first.column, first.message


def test_markdown_becomes_paragraphs_links_and_tables(write: Write) -> None:
    content = write("Hello **you**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[Go](https://a.example/?x=1&y=2)\n")
    assert "<strong>you</strong>" in content.html
    assert ">1</td>" in content.html
    assert 'href="https://a.example/?x=1&amp;y=2"' in content.html


def test_the_text_part_shows_addresses_after_the_words_of_a_link(write: Write, footer: str) -> None:
    content = write("Now [go](https://a.example) or <https://b.example>, or write to <me@c.example>.")
    assert content.text == (f"Now go <https://a.example> or https://b.example, or write to me@c.example.\n\n{footer}")


def test_long_paragraphs_are_wrapped_and_addresses_never_are(write: Write) -> None:
    text = write("word " * 40 + "https://a.example/" + "x" * 100).text
    assert max(len(line) for line in text.splitlines() if "http" not in line) <= 76
    assert "https://a.example/" + "x" * 100 in text


def test_a_condition_on_lines_of_its_own_puts_no_paragraph_around_itself(write: Write, footer: str) -> None:
    body = "Before\n\n{% if facts.orders > 3 %}\nMany\n{% else %}\nFew\n{% endif %}\n\nAfter"
    content = write(body)
    assert content.text == f"Before\n\nMany\n\nAfter\n\n{footer}"
    assert "<p" in content.html
    assert "<p></p>" not in content.html
    assert "<!--qj" not in content.html


def test_a_condition_at_the_beginning_of_a_paragraph_is_part_of_it(write: Write) -> None:
    body = "{% if facts.orders %}{{ facts.orders }}, {% endif %}Hello!\n\n{% if stage %}\nMore.\n{% endif %}\n"
    content = write(body, facts={"orders": 3})
    assert "3, Hello!\n\nMore." in content.text
    assert content.html.count("3, Hello!</p>") == 1


def test_a_loop_repeats_the_rows_of_a_table(write: Write) -> None:
    body = "<table>\n{% for i in range(3) %}\n<tr><td>row {{ i }}</td><td>x</td></tr>\n{% endfor %}\n</table>\n"
    content = write(body)
    assert content.html.count("row ") == 3
    assert "<tbody" not in content.html[content.html.index("row 0") : content.html.index("row 2")]
    assert "row 0 | x\nrow 1 | x\nrow 2 | x" in content.text


def test_tags_in_addresses_survive_markdown(write: Write) -> None:
    content = write('[Go]({{ "https://a.example/?q=1#top" | link }}) [leave]({{ unsubscribe_url }})')
    assert (
        'href="https://a.example/?q=1&amp;utm_source=lifecycle&amp;utm_medium=email&amp;utm_campaign=win_back#top"'
        in (content.html)
    )
    assert "leave <https://shop.example/u?a=1&b=2>" in content.text


def test_values_are_escaped_in_html_and_not_in_text(write: Write) -> None:
    content = write("Hello {{ customer.first_name }}", customer={"first_name": "<b>A&B</b>"})
    assert "Hello &lt;b&gt;A&amp;B&lt;/b&gt;" in content.html
    assert "Hello <b>A&B</b>" in content.text


def test_subject_and_preheader_are_text_wherever_the_layout_puts_them(write: Write) -> None:
    header = 'subject = "A & B\'s {{ customer.first_name }}"\npreheader = \'say "hi" <now>\'\n'
    content = write("x", source={"header": header}, customer={"first_name": "<i>"})
    assert content.subject == "A & B's <i>"
    assert "<title>A &amp; B" in content.html
    assert "&lt;i&gt;</title>" in content.html
    assert "&lt;now&gt;" in content.html


def test_text_that_looks_like_a_tag_stays_text(write: Write) -> None:
    assert "a {{ b {% c" in write("a &#123;{ b &#123;% c").text
    assert "{{ a }} {x}" in write("{% raw %}{{ a }}{% endraw %} {{ '{' }}{{ 'x' }}}").text


def test_notes_are_seen_by_nobody_and_split_no_paragraph(write: Write, footer: str) -> None:
    assert write("one\n{# a\nnote #}\ntwo {# another #}three").text == f"one two three\n\n{footer}"


def test_mjml_sections_are_put_into_the_layout(write: Write, footer: str) -> None:
    body = """
<mj-section><mj-column>
  {% if facts.orders > 9 %}
  <mj-text>never</mj-text>
  {% endif %}
  <mj-text>Hello {{ customer.first_name }}</mj-text>
  <mj-button href='{{ "https://a.example/" | link }}'>Go</mj-button>
</mj-column></mj-section>
{% if facts.orders > 9 %}
<mj-section><mj-column><mj-text>never</mj-text></mj-column></mj-section>
{% endif %}
"""
    content = write(body, source={"kind": "mjml"})
    assert "never" not in content.html + content.text
    assert content.text == (
        f"Hello Anna\n\nGo <https://a.example/?utm_source=lifecycle&utm_medium=email&utm_campaign=win_back>\n\n{footer}"
    )


def test_a_condition_between_sections_of_a_wrapper_holds_in_outlook_too(write: Write) -> None:
    section = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    body = "<mj-wrapper>\n{% if facts.orders > 9 %}\n" + section.format("never") + "\n{% endif %}\n"
    content = write(body + section.format("always") + "</mj-wrapper>", source={"kind": "mjml"})
    assert "never" not in content.html + content.text
    assert "always" in content.text
    # Comments cannot be nested: one inside another would end it early.
    assert all("<!--" not in piece.split("-->")[0] for piece in content.html.split("<!--")[1:])


def test_a_whole_mjml_document_needs_no_layout(write: Write) -> None:
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>"
    assert write(body, source={"kind": "mjml"}).text == "Hello"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("<mj-section>\n  <mj-colum></mj-colum></mj-section>", (5, 3, "unknown MJML component <mj-colum>")),
        ("<mj-section>\n<mj-column></mj-section>", (5, 12, "</mj-section> closes nothing that is open here")),
        ("<mj-section>\n<mj-column>", (4, 1, "<mj-section> is never closed")),
        ('<mj-include path="/etc/passwd" />', (4, 1, "a template stands alone")),
    ],
)
def test_broken_mjml_says_where(make_source: Make, body: str, place: tuple[int, int, str]) -> None:
    assert problem(make_source(body, "mjml")) == place


def test_a_tag_that_markup_would_lose_is_refused_at_its_place(make_source: Make) -> None:
    line, column, message = problem(make_source("text\n\nsee <{{ unsubscribe_url }}>"))
    assert (line, column) == (6, 6)
    assert "markup loses it" in message


def test_a_layout_without_a_place_for_the_body_is_refused(make_source: Make) -> None:
    source = make_source("x")
    broken = TemplateSource(source.name, source.locale, source.kind, source.text, "<mjml><mj-body></mj-body></mjml>")
    with pytest.raises(BadFiles, match=r"_layouts/default\.mjml:1:1: the layout has no place for the body"):
        compile_template(broken)
