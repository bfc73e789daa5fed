"""The pages that the menu leads to, and who finds them there."""

from typing import NamedTuple

EVERYBODY = frozenset({"viewer", "support", "marketer", "admin"})


class Entry(NamedTuple):
    """`key` names its words in the catalog, `menu.<key>`; `inside` are further pages that belong to it; `trying`: only
    while a provider is the sandbox.
    """

    key: str
    path: str
    roles: frozenset[str] = EVERYBODY
    inside: str = ""
    trying: bool = False

    def leads_to(self, path: str) -> bool:
        return path == self.path or any(path == one or path.startswith(f"{one}/") for one in self._folders())

    def _folders(self) -> list[str]:
        return [one for one in (self.path, self.inside) if len(one) > 1]


MENU = (
    Entry("today", "/"),
    Entry("log", "/log", inside="/messages"),
    Entry("customers", "/customers", inside="/customer"),
    Entry("playbooks", "/playbooks"),
    Entry("lifecycle", "/lifecycle"),
    Entry("health", "/health"),
    Entry("mailbox", "/mailbox", trying=True),
    Entry("users", "/users", frozenset({"admin"})),
    Entry("audit", "/audit", frozenset({"support", "admin"})),
)


def menu_of(role: str, *, trying: bool) -> list[Entry]:
    return [entry for entry in MENU if role in entry.roles and (trying or not entry.trying)]
