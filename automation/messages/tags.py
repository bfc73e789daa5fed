"""Jinja tags travel through markup as opaque words, and become tags again on the other side.

Markdown, MJML and CSS inlining run once per file. They know nothing of Jinja, so each tag is replaced by a word of
lower-case letters and digits, which is safe in text, in addresses and in attributes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from automation.messages.sources import Part

INSIDE = r"(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[^\"'])*?"
RAW = r"\{%[-+]?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*[-+]?%\}"
# A note on a line of its own goes with its line, else it would end the paragraph around it.
NOTE = r"^[ \t]*\{#.*?#\}[ \t]*\n|\{#.*?#\}"
TAG = re.compile(rf"{NOTE}|{RAW}|\{{\{{{INSIDE}\}}\}}|\{{%{INSIDE}%\}}", re.DOTALL | re.MULTILINE)
# A line of statements alone ends with the last one's own end, and not with that of another line.
STATEMENT = r"\{%(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|(?!%\})[^\"'])*%\}"
ALONE = re.compile(rf"^[ \t]*(?:{STATEMENT}[ \t]*)+$", re.DOTALL | re.MULTILINE)
ALONE_LINE = re.compile(rf"^[ \t]*((?:{STATEMENT}[ \t]*)+)\n", re.DOTALL | re.MULTILINE)
OPENING = re.compile(r"\{(?=[{%#]|\Z)")


class Tag(NamedTuple):
    """A tag as written, where it stands, and whether its line holds nothing but statements."""

    text: str
    part: Part
    offset: int
    alone: bool

    @property
    def is_statement(self) -> bool:
        return self.text.startswith("{%") and not re.match(RAW, self.text, re.DOTALL)


@dataclass
class Tags:
    """The tags of one template, and the words that stand for them. `salt` makes those unlike any other word in it."""

    salt: str
    tags: list[Tag] = field(default_factory=list)

    @classmethod
    def unlike(cls, *texts: str) -> "Tags":
        salt = "qj"
        while any(salt in text for text in texts):
            salt += "x"
        return cls(salt)

    @property
    def word(self) -> re.Pattern[str]:
        return re.compile(rf"{self.salt}(\d+)z")

    def hide(
        self, part: Part, given: Mapping[str, str] | None = None, wrap: Callable[[Tag, str], str] | None = None
    ) -> str:
        """The part with words for tags; `given` has texts for expressions such as `content`, put in at once."""
        alone = [found.span() for found in ALONE.finditer(part.text)]

        def hidden(found: re.Match[str]) -> str:
            if found[0].lstrip().startswith("{#"):
                return ""
            text = (given or {}).get(found[0].strip("{}-+ \n\t")) if found[0].startswith("{{") else None
            if text is not None:
                return text
            tag = Tag(found[0], part, found.start(), any(start <= found.start() < end for start, end in alone))
            self.tags.append(tag)
            word = self.name(len(self.tags) - 1)
            return wrap(tag, word) if wrap else word

        return TAG.sub(hidden, part.text)

    def name(self, index: int) -> str:
        return f"{self.salt}{index:04d}z"

    def show(self, text: str) -> str:
        """Words become tags again; text that merely looks like a tag stays text."""
        pieces = self.word.split(text)
        pieces[::2] = [OPENING.sub("{{ '{' }}", piece) for piece in pieces[::2]]
        pieces[1::2] = [self.tags[int(index)].text for index in pieces[1::2]]
        return "".join(pieces)


def tight(text: str) -> str:
    """A line that holds only statements leaves no empty line behind."""
    return ALONE_LINE.sub(r"\1", text)
