"""What a typed command came to."""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from automation.cli import main


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


def typing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The words go through the program as they would in a shell."""

    def done(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["automation", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return done
