"""One module a page; each has a `router`."""

from automation.web.console.pages import account, audit, entrance, unmask, users

ROUTERS = (entrance.router, account.router, users.router, audit.router, unmask.router)
