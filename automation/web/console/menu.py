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
        return path in {self.path, self.inside} or (self.path != "/" and path.startswith(f"{self.path}/"))


MENU = (
    Entry("today", "/"),
    Entry("customers", "/customers", inside="/customer"),
    Entry("playbooks", "/playbooks"),
    Entry("lifecycle", "/lifecycle"),
    Entry("health", "/health"),
    Entry("users", "/users", frozenset({"admin"})),
    Entry("audit", "/audit", frozenset({"support", "admin"})),
)


def menu_of(role: str) -> list[Entry]:
    return [entry for entry in MENU if role in entry.roles]
