"""The text part of an email, made from its HTML: what a person would type, with no trace of the layout."""

import re
import textwrap
from collections.abc import Iterator

from inscriptis import Inscriptis
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.model.config import ParserConfig
from lxml import html as lxml_html  # type: ignore[import-untyped]
from lxml.html import HtmlComment, HtmlElement  # type: ignore[import-untyped]

from automation.messages.tags import Tags, tight

WIDTH = 76
ITEM = re.compile(r"\s*(?:\*|\d+\.)?\s*")
HIDDEN = re.compile(r"display:\s*none")
FLAT = "flat"
RULE = "-" * 20


def text_of(html: str, tags: Tags) -> str:
    """The Jinja text of the plain-text part. `html` still has words for tags."""
    page = lxml_html.document_fromstring(html)
    _remove_looks(page)
    for table in list(page.iter("table")):
        if table.get("role") == "presentation" or _has_tags(table, tags):
            _flatten(table)
    for block in list(page.iter("ul", "ol", "table", FLAT)):
        _set_apart(block)
    for comment in [one for one in page.iter() if isinstance(one, HtmlComment)]:
        _show_statements(comment, tags)
    for image in page.iter("img"):
        _become_text(image, image.get("alt", ""))
    for rule in page.iter("hr"):
        rule.tag, rule.text = "p", RULE
    for link in page.iter("a"):
        _show_address(link, tags)
    lines = Inscriptis(page, ParserConfig(css=STRICT_CSS_PROFILE)).get_text().replace("\u00a0", " ").splitlines()
    wrapped = "\n".join(line for one in lines for line in _wrapped(one.rstrip()))
    return tight(tags.show(re.sub(r"\n{3,}", "\n\n", wrapped).strip("\n")))


def _remove_looks(page: HtmlElement) -> None:
    """Without what nobody sees (a preheader is for the inbox's list) and what would center or indent the text."""
    for element in list(page.iter("*")):
        if HIDDEN.search(element.get("style", "")):
            element.drop_tree()
            continue
        for name in ("style", "align", "valign"):
            element.attrib.pop(name, None)


def _has_tags(table: HtmlElement, tags: Tags) -> bool:
    return any(tags.word.search(one.text or "") or tags.word.search(one.tail or "") for one in table.iter())


def _flatten(table: HtmlElement) -> None:
    """A table for layout is a stack of blocks; one with tags cannot be drawn in columns before its values are known."""
    is_layout = table.get("role") == "presentation"
    own = [one for one in table.iter("table", "tbody", "thead", "tr", "td", "th") if _table_of(one) is table]
    for one in own:
        if is_layout and one.tag == "tr":
            one.tag = "p"
        elif is_layout or one.tag not in {"td", "th"}:
            one.tag = "div" if is_layout or one is not table else FLAT
        else:
            one.tag, one.tail = "span", " | " if one.getnext() is not None else None


def _set_apart(block: HtmlElement) -> None:
    """An empty line before and after a list or a table, but not around a list inside a list."""
    if next(block.iterancestors("ul", "ol", "table"), None) is None:
        paragraph = lxml_html.Element("p")
        paragraph.tail, block.tail = block.tail, None
        block.getparent().replace(block, paragraph)
        paragraph.append(block)
    if block.tag == FLAT:
        block.tag = "div"


def _table_of(element: HtmlElement) -> HtmlElement:
    return element if element.tag == "table" else next(element.iterancestors("table"), element)


def _show_statements(comment: HtmlComment, tags: Tags) -> None:
    """Statements stand in comments of their own and in those for Outlook; all of them count, in their order."""
    parent = comment.getparent()
    if parent is None:
        return
    place, tail, comment.tail = parent.index(comment), comment.tail, None
    parent.remove(comment)
    for word in tags.word.finditer(comment.text or ""):
        tag = tags.tags[int(word[1])]
        if tag.is_statement and tag.alone:
            block = lxml_html.Element("div")
            block.text = word[0]
            parent.insert(place, block)
            place += 1
        elif tag.is_statement:
            _add_text(parent, place, word[0])
    _add_text(parent, place, tail)


def _add_text(parent: HtmlElement, place: int, text: str | None) -> None:
    if place:
        parent[place - 1].tail = (parent[place - 1].tail or "") + (text or "")
    else:
        parent.text = (parent.text or "") + (text or "")


def _become_text(element: HtmlElement, text: str) -> None:
    element.tag, element.text = "span", text


def _show_address(link: HtmlElement, tags: Tags) -> None:
    """`Come back <https://shop.example/>`, as RFC 3986 (appendix C) delimits an address in text."""
    address = link.get("href", "").removeprefix("mailto:").removeprefix("tel:")
    words = (link.text_content() or "").strip()
    if not address or address.startswith("#") or tags.show(words) == tags.show(address):
        return
    last = len(link)
    _add_text(link, last, f" <{address}>" if words else f"<{address}>")


def _wrapped(line: str) -> Iterator[str]:
    indent = ITEM.match(line)
    # Two spaces inside a line are the columns of a table.
    if len(line) <= WIDTH or indent is None or "  " in line[indent.end() :]:
        yield line
        return
    later = " " * indent.end()
    yield from textwrap.wrap(line, WIDTH, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)
