"""One module a page; each has a `router`."""

from automation.web.console.pages import (
    account,
    audit,
    customer,
    customer_acts,
    customers,
    entrance,
    health,
    lifecycle,
    log,
    message,
    playbook,
    playbooks,
    preview,
    today,
    unmask,
    users,
)

ROUTERS = (
    today.router,
    log.router,
    message.router,
    health.router,
    entrance.router,
    account.router,
    users.router,
    audit.router,
    unmask.router,
    customers.router,
    customer.router,
    customer_acts.router,
    playbooks.router,
    playbook.router,
    preview.router,
    lifecycle.router,
)
