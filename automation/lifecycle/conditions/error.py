"""A condition that cannot be read, with a picture of the place."""

from automation.errors import BadInput

WIDTH = 72


class ConditionError(BadInput):
    """The condition cannot be read; the hint shows where and what to write.

    `offset` counts characters of the condition from 0, `message` is one line, `hint` is the condition's line, a caret
    under the place and, where there is one, a suggestion.
    """

    def __init__(self, text: str, offset: int, message: str, suggestion: str = "") -> None:
        self.offset = offset
        self.message = message
        self.hint = "\n".join(line for line in (*_picture(text, offset), suggestion) if line)
        super().__init__(f"{message}\n{self.hint}")


def _picture(text: str, offset: int) -> tuple[str, str]:
    """The line around the offset, cut to the width of a terminal, and the caret under it."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].partition("\n")[0]
    at = offset - start
    cut = max(0, at - WIDTH // 2) if len(line) > WIDTH else 0
    # One column for each character, whatever it is: a tab would carry the caret away.
    shown = "".join(one if one.isprintable() else " " for one in line[cut : cut + WIDTH])
    return shown.rstrip(), " " * (at - cut) + "^"
