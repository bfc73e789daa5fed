"""Whether the process is up and can work, and its metrics: for programs that watch it, not for people.

They answer whoever has the token of `AUTOMATION_SERVE__METRICS_TOKEN`. Where none is set they answer calls from this
machine, as long as nobody else can be behind those: a proxy that stands before us makes every visitor a caller from
this machine, so with a public address /metrics asks for the token in any case.
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from automation.database.engine import Database
from automation.database.upgrade import require_current
from automation.errors import DatabaseBusy, WrongSchema
from automation.settings import Settings
from automation.web.metrics import metrics_text

log = logging.getLogger(__name__)
TEXT = "text/plain; version=0.0.4; charset=utf-8"
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
REFUSED = (
    "only from this machine, or with the token: set AUTOMATION_SERVE__METRICS_TOKEN and send it as "
    "`Authorization: Bearer …`\n"
)
# A proxy's traces: then the caller is somebody else than the one who called us.
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@dataclass(frozen=True)
class Probes:
    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def healthz(self, request: Request) -> Response:
        """The process answers."""
        return _told("ok\n") if self._may_ask(request) else _told(REFUSED, 403)

    async def readyz(self, request: Request) -> Response:
        """The database answers, too, and has this program's schema."""
        if not self._may_ask(request):
            return _told(REFUSED, 403)
        trouble = await run_in_threadpool(self._trouble)
        return _told("ready\n") if trouble is None else _told(f"not ready: {trouble}\n", 503)

    async def metrics(self, request: Request) -> Response:
        if not self._may_ask(request, closely=True):
            return _told(REFUSED, 403)
        try:
            text = await run_in_threadpool(metrics_text, self.database, self.settings, self.clock())
        except (SQLAlchemyError, DatabaseBusy):
            log.exception("the metrics cannot be computed")
            return _told("the database does not answer; /readyz says more\n", 503)
        return Response(text, headers=HEADERS | {"content-type": TEXT})

    def _trouble(self) -> str | None:
        try:
            require_current(self.database)
        except WrongSchema as error:
            return str(error)
        except (SQLAlchemyError, DatabaseBusy) as error:
            log.warning("the database does not answer (%s)", type(error).__name__)
            return "the database does not answer; see whether it runs and [database] url is right"
        return None

    def _may_ask(self, request: Request, *, closely: bool = False) -> bool:
        """`closely`: nobody from outside, even where a proxy hides who called."""
        token = self.settings.serve.metrics_token
        if token is not None:
            given = request.headers.get("authorization", "")
            return hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode())
        return _is_from_here(request) and (not closely or self.settings.is_loopback)


def _is_from_here(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _told(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status, HEADERS)
