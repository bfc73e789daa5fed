"""Which promises are broken, and by which rows."""

from rich.text import Text

from automation.cli.output import console, show_table
from automation.delivery.verify import LISTED, Report


def show_report(report: Report) -> None:
    if report.ok:
        console.print("every row keeps the delivery promise")
        return
    rows = []
    for one in report.violations:
        whose = ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in one.about.items())
        rows.append((one.invariant, whose, one.told))
    show_table(["promise", "of", "what is wrong"], rows)
    for invariant, count in sorted(report.counts.items()):
        listed = f", {LISTED} are listed" if count > LISTED else ""
        console.print(Text(f"{invariant}: {count:,}{listed}"))
