"""Everything that can go wrong, in one catalogue.

The docstring of an error is its default message, and each says its reader's next move. `exit_code` is what the command
line ends with: 1 when something failed, 2 when the words, the configuration or a file given to it are wrong.
"""

import difflib
import inspect
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one file. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" + (f"\n{textwrap.indent(self.hint, '    ')}" if self.hint else "")


class AutomationError(Exception):
    """Something went wrong."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or ""))


class BadInput(AutomationError):
    """What was given cannot be used; the message says what to change."""

    exit_code = 2


class BadFiles(BadInput):
    """Some files have problems; correct them and try again."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DatabaseUnreachable(BadInput):
    """The database cannot be opened; look at [database] url in config.toml and whether the server is running."""


class DatabaseBusy(AutomationError):
    """Another process is writing to the database; try again in a moment."""


class WrongSchema(AutomationError):
    """The database is at another revision than this program; run `automation db upgrade`."""


class DatabaseDamaged(AutomationError):
    """The database file is damaged; `automation db check` says where. Stop everything and restore a backup."""


class BackupFailed(AutomationError):
    """No copy was made; see whether there is room, and whether `automation db check` finds the database sound."""


class UnknownCustomer(BadInput):
    """No customer has this id; look it up with `automation log` or import the customer first."""


class UnknownMessage(BadInput):
    """No message has this id; `automation log` lists the ids."""


class SecondWorker(BadInput):
    """Another worker runs on this SQLite database; stop that one first, or use PostgreSQL, where several may work."""


class UnknownPlaybook(BadInput):
    """No playbook has this key; `automation check` lists what is wrong with playbook files."""


class RealProviderInSimulatedTime(BadInput):
    """--now replaces the clock, and a provider that is not on this machine is configured.

    Point its base_url at the sandbox, or leave out --now.
    """


class MissingExtra(BadInput):
    """An optional part is not installed."""


class BadMessage(AutomationError):
    """This message cannot be rendered or encoded; it ends as failed, and no other message is disturbed."""


class PortTaken(AutomationError):
    """The port is in use; stop the other server or choose another port: --port of sandbox, else [serve] port."""


class WebEnded(AutomationError):
    """The web application ended by itself, and the worker drained with it; the log says why. Start them again."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like the given one, or None when nothing is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: the nearest known one, else a list of what there is."""
    known = sorted(known)
    close = nearest(word, known)
    if close:
        return f'did you mean "{close}"?'
    return "known: " + ", ".join(known) if known else ""
