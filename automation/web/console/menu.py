"""The pages that the menu leads to, and who finds them there."""

from typing import NamedTuple

EVERYBODY = frozenset({"viewer", "support", "marketer", "admin"})


class Entry(NamedTuple):
    """`key` names its words in the catalog, `menu.<key>`; `trying`: only while a provider is the sandbox."""

    key: str
    path: str
    roles: frozenset[str] = EVERYBODY
    trying: bool = False


MENU = (
    Entry("today", "/"),
    Entry("log", "/log"),
    Entry("customers", "/customers"),
    Entry("playbooks", "/playbooks"),
    Entry("lifecycle", "/lifecycle"),
    Entry("health", "/health"),
    Entry("mailbox", "/mailbox", trying=True),
    Entry("users", "/users", frozenset({"admin"})),
    Entry("audit", "/audit", frozenset({"support", "admin"})),
)


def menu_of(role: str, *, trying: bool) -> list[Entry]:
    return [entry for entry in MENU if role in entry.roles and (trying or not entry.trying)]
