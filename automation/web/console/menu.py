"""The pages that the menu leads to, and who finds them there."""

from typing import NamedTuple

EVERYBODY = frozenset({"viewer", "support", "marketer", "admin"})


class Entry(NamedTuple):
    """`key` names its words in the catalog, `menu.<key>`; `inside` are further pages that belong to it."""

    key: str
    path: str
    roles: frozenset[str] = EVERYBODY
    inside: str = ""

    def leads_to(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in (self.path, self.inside) if len(one) > 1) or (
            path == self.path
        )


MENU = (
    Entry("today", "/"),
    Entry("log", "/log", inside="/messages"),
    Entry("customers", "/customers", inside="/customer"),
    Entry("playbooks", "/playbooks"),
    Entry("lifecycle", "/lifecycle"),
    Entry("health", "/health"),
    Entry("users", "/users", frozenset({"admin"})),
    Entry("audit", "/audit", frozenset({"support", "admin"})),
)


def menu_of(role: str) -> list[Entry]:
    return [entry for entry in MENU if role in entry.roles]
