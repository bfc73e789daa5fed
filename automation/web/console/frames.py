"""A message's HTML inside a page of ours: it may load nothing, run nothing and lead nowhere."""

from starlette.responses import HTMLResponse

POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)


def framed(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"content-security-policy": POLICY})
