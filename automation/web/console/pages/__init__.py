"""One module a page; each has a `router`."""

from automation.web.console.pages import (
    account,
    audit,
    entrance,
    lifecycle,
    playbook,
    playbooks,
    preview,
    today,
    unmask,
    users,
)

ROUTERS = (
    today.router,
    entrance.router,
    account.router,
    users.router,
    audit.router,
    unmask.router,
    playbooks.router,
    playbook.router,
    preview.router,
    lifecycle.router,
)
