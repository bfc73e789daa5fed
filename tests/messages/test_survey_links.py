from collections.abc import Callable

import pytest

from automation.errors import BadFiles
from automation.messages.render import Content
from automation.messages.templates import TemplateSource, compile_template

Write = Callable[..., Content]
Source = Callable[..., TemplateSource]

PAGE = "https://shop.example/s/token"


def test_a_mail_links_to_the_customers_own_page_of_a_survey(write: Write) -> None:
    body = '[Tell us]({{ "nps" | survey }}), or [nine]({{ "nps" | survey(9) }})'
    content = write(body, survey_url=PAGE)
    assert f'href="{PAGE}/nps"' in content.html
    assert f'href="{PAGE}/nps?a=9"' in content.html
    assert f"{PAGE}/nps?a=9" in content.text


def test_an_answer_may_be_a_word_and_is_quoted(write: Write) -> None:
    content = write("{{ 'leaving' | survey('no need & more') }}", survey_url=PAGE, source={"kind": "txt"})
    assert content.text == f"{PAGE}/leaving?a=no%20need%20%26%20more"


def test_a_survey_is_named_in_the_template_itself(make_source: Source) -> None:
    with pytest.raises(BadFiles, match="say which survey"):
        compile_template(make_source("{{ customer.first_name | survey }}"))


def test_a_template_knows_the_surveys_that_it_links_to(make_source: Source) -> None:
    template = compile_template(make_source('{% for n in range(11) %}[{{ n }}]({{ "nps" | survey(n) }}) {% endfor %}'))
    assert template.surveys == {"nps"}
