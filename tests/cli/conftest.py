"""The command line as it is typed."""

import pytest
from typed import Run, typing


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return typing(monkeypatch, capsys)
