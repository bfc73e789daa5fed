"""The link that customers give to friends: the visit is noted, and the friend goes on to the shop with the code."""

import logging
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from automation.clock import local_date
from automation.customers.referrals import note_visit
from automation.web.page import HEADERS, Page

log = logging.getLogger(__name__)


class ReferralLink(Page):
    """`/r/<code>`"""

    async def follow(self, request: Request) -> Response:
        """Nobody is held up: whatever we cannot note, the friend gets to the shop."""
        code = request.path_params["code"]
        try:
            known = await run_in_threadpool(self._note, code, _visitor(request)) if _is_visit(request) else True
        except Exception:
            log.exception("a visit by a friend's link could not be written down")
            known = True
        return RedirectResponse(self._shop(code if known else None), 302, HEADERS)

    def _note(self, code: str, visitor: str) -> bool:
        now = self.clock()
        today = local_date(now, self.settings.business.zone)
        with self.database.writing() as connection:
            return note_visit(connection, code, visitor, today, now)

    def _shop(self, code: str | None) -> str:
        parts = urlsplit(self.settings.business.shop_url)
        told = [one for one in (parts.query, f"ref={quote(code.upper(), safe='')}" if code else "") if one]
        return parts._replace(query="&".join(told)).geturl()


def _is_visit(request: Request) -> bool:
    """Not when a browser or a mail program only looks ahead."""
    ahead = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    return request.method == "GET" and not ahead.startswith(("prefetch", "preview"))


def _visitor(request: Request) -> str:
    told = [request.client.host if request.client else "", *map(request.headers.get, ("x-forwarded-for", "user-agent"))]
    return "|".join(one or "" for one in told)
