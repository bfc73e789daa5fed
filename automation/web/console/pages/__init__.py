"""One module a page; each has a `router`."""

from automation.web.console.pages import account, audit, customer, customer_acts, customers, entrance, unmask, users

ROUTERS = (
    entrance.router,
    account.router,
    users.router,
    audit.router,
    unmask.router,
    customers.router,
    customer.router,
    customer_acts.router,
)
