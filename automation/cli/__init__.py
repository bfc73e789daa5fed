"""The command line: one module per reader. Each verb reads its words, calls one function and shows what it returns.

A verb imports what it works with when it is called: nobody who types `--help` waits for what other verbs need.
"""

import os
import sys

import typer

from automation import faultpoints
from automation.cli import (
    author,
    demo,
    intervene,
    keep,
    lifecycles,
    operate,
    permission,
    prove,
    report,
    support,
    unattended,
    users,
)
from automation.errors import AutomationError, BadInput

app = typer.Typer(
    help="Lifecycle campaign automation: stages from events, playbooks from files, messages with a ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    demo,
    author,
    operate,
    unattended,
    support,
    report,
    lifecycles,
    permission,
    intervene,
    keep,
    users,
    prove,
):
    module.add_to(app)


def main() -> None:
    """Exit code 0 done, 1 something failed and said why, 2 wrong words, configuration or files."""
    try:
        _arm()
        app()
    except AutomationError as error:
        from automation.cli.output import show_error

        show_error(error, as_json=not {"--json", "--json-logs"}.isdisjoint(sys.argv))
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # `automation log | head`: nobody reads any further, and Python must not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _arm() -> None:
    """The fault points that the environment names; usually none."""
    try:
        faultpoints.arm(os.environ.get(faultpoints.VARIABLE, ""))
    except ValueError as error:
        raise BadInput(f"{faultpoints.VARIABLE}: {error}") from None


__all__ = ["app", "main"]
