"""One module a page; each has a `router`."""

from automation.web.console.pages import account, audit, entrance, health, today, unmask, users

ROUTERS = (today.router, health.router, entrance.router, account.router, users.router, audit.router, unmask.router)
