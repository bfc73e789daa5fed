"""From a marketer's Markdown or MJML to the HTML that mail programs show, once per file."""

import re
from collections.abc import Iterator
from html import escape

import mrml
from css_inline import CSSInliner
from markdown_it import MarkdownIt

from automation.errors import BadFiles, Problem, suggest
from automation.messages.sources import Part, Parts
from automation.messages.tags import Tag, Tags

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Nothing is fetched: neither stylesheets here nor fonts by the reader's mail program.
INLINER = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
OPTIONS = mrml.RenderOptions(disable_comments=False, fonts={})
CONTENT = "<mj-section><mj-column><mj-text css-class='content'>{}</mj-text></mj-column></mj-section>"
# Text inside these is no place for a comment.
OPAQUE = re.compile(r"<!--.*?-->|<(style|title|textarea|script)\b.*?</\1\s*>|<[a-zA-Z/!][^>]*>", re.DOTALL)
MJML_TAG = re.compile(r"<!--.*?-->|<(/?)(mj[\w-]*)((?:\"[^\"]*\"|'[^']*'|[^\"'>])*?)(/?)>", re.DOTALL)
ROWS = re.compile(r"(<table\b[^>]*>)(?=\s*<!--\w+-->\s*(?:<!--|<tr\b))")
COMPONENTS = frozenset(
    """
    mjml mj-head mj-attributes mj-all mj-class mj-breakpoint mj-font mj-html-attributes mj-preview mj-style mj-title
    mj-body mj-accordion mj-accordion-element mj-accordion-text mj-accordion-title mj-button mj-carousel
    mj-carousel-image mj-column mj-divider mj-group mj-hero mj-image mj-navbar mj-navbar-link mj-raw mj-section
    mj-social mj-social-element mj-spacer mj-table mj-text mj-wrapper
    """.split()  # noqa: SIM905 (words read better than quotes)
)


def html_of(parts: Parts, tags: Tags) -> str:
    """The whole HTML document with words for tags. Raises BadFiles for markup that cannot be compiled."""
    given = {
        "subject": escape(tags.hide(parts.setting("subject"))),
        "preheader": escape(tags.hide(parts.setting("preheader"))),
    }
    first = len(tags.tags)
    body = _body(parts, tags, given)
    own = range(first, len(tags.tags))
    html = _mjml(parts.body, body) if parts.is_document else _in_layout(parts, tags, given, body)
    html = INLINER.inline(_statements_as_comments(html, tags))
    _refuse_lost_tags(html, tags, own, exactly_once=parts.source.kind == "md")
    return html


def _body(parts: Parts, tags: Tags, given: dict[str, str]) -> str:
    if parts.source.kind == "mjml":
        _refuse_bad_mjml(parts.body)
        return tags.hide(parts.body, given if parts.is_document else None)
    html = str(MARKDOWN.render(tags.hide(parts.body, wrap=_as_block)))
    return re.sub(rf"&lt;!--({tags.word.pattern})--&gt;", r"\1", html)  # in a block of code nothing is a comment


def _as_block(tag: Tag, word: str) -> str:
    """A comment is a block of its own to Markdown, so that no paragraph is put around a lone `{% if %}`."""
    return f"<!--{word}-->" if tag.alone and tag.is_statement else word


def _in_layout(parts: Parts, tags: Tags, given: dict[str, str], body: str) -> str:
    layout = parts.layout
    if layout is None:
        raise BadFiles([parts.body.problem(0, "this body needs a layout", 'write layout = "default" in the header')])
    _refuse_bad_mjml(layout)
    place = f"{tags.salt}content"
    is_mjml = parts.source.kind == "mjml"
    mjml = tags.hide(layout, given | {"content": body if is_mjml else CONTENT.format(place)})
    if not re.search(r"\{\{-?\s*content\s*-?\}\}", layout.text):
        raise BadFiles(
            [layout.problem(0, "the layout has no place for the body", "write {{ content }} in its <mj-body>")]
        )
    # Markdown's HTML is put in afterwards: MJML never has to understand it.
    return _mjml(parts.body if is_mjml else layout, mjml).replace(place, body)


def _mjml(part: Part, text: str) -> str:
    try:
        return mrml.to_html(text, None, OPTIONS).content
    except OSError as error:
        reason = re.sub(r" in root template.*", "", str(error))
        hint = "look for a tag that is not closed, or a quote that is missing"
        raise BadFiles([part.problem(0, f"this MJML cannot be read: {reason}", hint)]) from None


def _refuse_bad_mjml(part: Part) -> None:
    problems = list(_mjml_problems(part))
    if problems:
        raise BadFiles(problems)


def _mjml_problems(part: Part) -> Iterator[Problem]:
    """The MJML compiler lets unknown components through and does not say where a tag is missing."""
    opened: list[tuple[str, int]] = []
    for found in MJML_TAG.finditer(part.text):
        closes, name, _, closed = found.groups()
        if name == "mj-include":
            yield part.problem(found.start(), "a template stands alone", "put what is shared in the layout")
        elif name and name not in COMPONENTS:
            yield part.problem(found.start(), f"unknown MJML component <{name}>", suggest(name, COMPONENTS))
        elif name and closes and (not opened or opened.pop()[0] != name):
            yield part.problem(found.start(), f"</{name}> closes nothing that is open here", "check the nesting")
            return
        elif name and not closes and not closed:
            opened.append((name, found.start()))
    for name, start in opened:
        yield part.problem(start, f"<{name}> is never closed", f"add </{name}>")


def _statements_as_comments(html: str, tags: Tags) -> str:
    """HTML parsers move stray text out of tables, and leave comments where they are."""
    pieces, last = [], 0

    def comment(found: re.Match[str]) -> str:
        return f"<!--{found[0]}-->" if tags.tags[int(found[1])].is_statement else found[0]

    for found in OPAQUE.finditer(html):
        pieces += [tags.word.sub(comment, html[last : found.start()]), found[0]]
        last = found.end()
    pieces.append(tags.word.sub(comment, html[last:]))
    # The parser would open the body of a table after the comment: once in each turn of a loop.
    return ROWS.sub(r"\1<tbody>", "".join(pieces))


def _refuse_lost_tags(html: str, tags: Tags, own: range, *, exactly_once: bool) -> None:
    """A tag inside broken markup may vanish or be doubled: better to hear of it now than from a customer."""
    problems = []
    for index in own:
        count = html.count(tags.name(index))
        if count == 0 or (count > 1 and exactly_once):
            tag = tags.tags[index]
            hint = "move it into ordinary text or into the address of a link"
            problems.append(tag.part.problem(tag.offset, f"{tag.text} stands where the markup loses it", hint))
    if problems:
        raise BadFiles(problems)


def shown(html: str, tags: Tags) -> str:
    """The Jinja text of an HTML document."""
    return tags.show(re.sub(rf"<!--({tags.word.pattern})-->", r"\1", html))
