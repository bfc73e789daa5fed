"""What is wrong in the files, with the place to look at."""

from rich.text import Text

from automation.cli.check import Checked
from automation.cli.output import console
from automation.cli.views.values import counted


def show_problems(checked: Checked) -> None:
    for problem in checked.problems:
        label = "warning: " if problem.severity == "warning" else ""
        place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
        console.print(Text.assemble((place, "bold"), ": ", (label, "yellow"), problem.message))
        for line in problem.hint.splitlines():
            console.print(Text(f"    {line}", style="dim"))
    wrong = sum(problem.severity == "error" for problem in checked.problems)
    counts = [counted(wrong, "problem"), counted(len(checked.problems) - wrong, "warning")]
    told = [one for one in counts if one] or ["no problems"]
    console.print(", ".join([counted(checked.files, "file"), *told]))
