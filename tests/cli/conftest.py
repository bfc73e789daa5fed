"""The command line as it is typed."""

import sys

import pytest
from typed import Done, Run

from automation.cli import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["automation", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return done
