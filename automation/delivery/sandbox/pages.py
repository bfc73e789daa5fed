"""The mailbox, as pages without a script. Markup.format escapes every value put into it."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from automation.delivery.sandbox.faults import KINDS
from automation.delivery.sandbox.telling.keys import public_keys
from automation.delivery.sandbox.telling.story import BY_HAND, MAILS, TEXTS

SIZE = 50
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A mail's own styles and inline pictures; no script, no request to anywhere, no form.
BESIDE = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = f"sandbox {BESIDE}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
CSS = Path(__file__).with_name("sandbox.css")

FRAME = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/sandbox.css">
</head>
<body>
<header><a href="/">Sandbox mailbox</a> <span>nothing here left this machine</span></header>
<main>
{body}
</main>
</body>
</html>
""")
INDEX = Markup("""<h1>{count} taken</h1>
{rows}
<nav aria-label="Pages">{paging}</nav>
<section>
<h2>Faults</h2>
{queue}
<form method="post" action="/faults">
<label>Provider <select name="kind">
<option value="">all</option>{kinds}
</select></label>
<label>Answer <select name="answer">
<option value="">as usual</option><option>429</option><option>500</option><option>503</option><option>401</option>
</select></label>
<label>Retry-After <input name="retry_after" placeholder="30, or an HTTP date"></label>
<label>Cut the connection <select name="cut">
<option value="">no</option><option value="before">before taking</option>
<option value="half">half-way through the answer</option><option value="after">after taking</option>
</select></label>
<label>Hang, seconds <input name="hang" inputmode="decimal"></label>
<label>Times <input name="times" inputmode="numeric" value="1"></label>
<button>Add this fault</button>
</form>
<h2>Recipients that are refused</h2>
<p>Postmark: <code>inactive@</code> at any domain has bounced or complained before.
Every other vendor of mail: a domain without a dot; Resend and Brevo refuse the whole batch for it.
Twilio: <code>+15005550001</code> is invalid, <code>…0002</code> has no route, <code>…0003</code> is in a region that is
not enabled, <code>…0004</code> has opted out, <code>…0009</code> is no mobile number.</p>
<h2>What becomes of a message</h2>
<p>With <code>--tell</code> the sandbox tells it to whoever listens: most are delivered, some opened and clicked, few
bounce. For these recipients it is always the same, at any domain (and behind a <code>+</code>), or for any number that
ends so.</p>
<table>
<thead><tr><th>Recipient</th><th>What becomes of it</th></tr></thead>
<tbody>
{fates}
</tbody>
</table>
<p>What stands for the sandbox where a provider needs a <code>webhook_key</code>. Between programs on this machine it is
known.</p>
<dl>{keys}</dl>
</section>
""")
EMPTY = Markup("<p>Nothing yet. Point a provider's base_url here and send.</p>")
TABLE = Markup("""<table>
<thead><tr><th>When</th><th>To</th><th>Message</th><th>Tag</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>""")
ROW = Markup("""<tr><td><time datetime="{at}">{when}</time></td><td>{recipient}</td>\
<td><a href="/messages/{id}">{words}</a></td><td>{tag}</td></tr>
""")
LINK = Markup('<a href="/?page={number}">{words}</a> ')
QUEUE = Markup('<ul>{items}</ul><form method="post" action="/faults/clear"><button>Remove all</button></form>')
ITEM = Markup("<li><code>{text}</code></li>")
MESSAGE = Markup("""<h1>{subject}</h1>
<dl>{facts}</dl>
{told}{html}<h2>Text</h2>
<pre>{text}</pre>
""")
FATE = Markup("<tr><td><code>{whom}</code></td><td>{outcomes}</td></tr>\n")
TOLD = Markup("""<h2>What became of it</h2>
{rows}
<form method="post" action="/messages/{id}/tell">
<label>Outcome <select name="outcome">{outcomes}</select></label>
<label>What an inbound text says <input name="text" value="STOP"></label>
<button>Tell it now</button>
</form>
""")
TOLD_TABLE = Markup("""<table>
<thead><tr><th>When</th><th>Outcome</th><th>Tries</th><th>Answer</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>""")
TOLD_ROW = Markup("<tr><td>{when}</td><td>{outcome}</td><td>{tries}</td><td>{answer}</td></tr>\n")
KIND = Markup("<option>{kind}</option>")
FACT = Markup("<dt>{name}</dt><dd>{value}</dd>")
HTML_FRAME = Markup("""<h2>HTML</h2>
<iframe sandbox="{beside}" src="/messages/{id}/html" title="The message as HTML"></iframe>
""")


def index(rows: Sequence[sqlite3.Row], count: int, number: int, queue: list[dict[str, Any]]) -> Response:
    """One page of the mailbox, newest first, and the fault switches."""
    newer = LINK.format(number=number - 1, words="Newer") if number > 1 else ""
    older = LINK.format(number=number + 1, words="Older") if number * SIZE < count else ""
    items = Markup().join(ITEM.format(text=json.dumps(fault)) for fault in queue)
    body = INDEX.format(
        count=f"{count:,} message{'' if count == 1 else 's'}",
        rows=TABLE.format(rows=Markup().join(_row(row) for row in rows)) if rows else EMPTY,
        paging=Markup().join([newer, older]),
        queue=QUEUE.format(items=items) if queue else "",
        fates=Markup().join(FATE.format(whom=whom, outcomes=", ".join(one) or "nothing") for whom, one in _fates()),
        keys=Markup().join(FACT.format(name=kind, value=key) for kind, key in public_keys().items()),
        kinds=Markup().join(KIND.format(kind=kind) for kind in KINDS),
    )
    return _page("Sandbox mailbox", body)


def _fates() -> list[tuple[str, tuple[str, ...]]]:
    return [*((f"{whom}@", one) for whom, one in MAILS.items()), *((f"…{whom}", one) for whom, one in TEXTS.items())]


def message(row: sqlite3.Row, told: Sequence[sqlite3.Row], *, is_heard: bool) -> Response:
    """Everything about one message, and what was told of it where somebody listens."""
    names = ("kind", "recipient", "sender", "at", "mid", "provider_id", "tag", "stream", "body_hash", "fields")
    facts = Markup().join(FACT.format(name=name.replace("_", " "), value=row[name]) for name in names if row[name])
    html = HTML_FRAME.format(id=row["id"], beside=BESIDE) if row["html"] else ""
    subject = row["subject"] or "SMS"
    became = _told(row["id"], told) if is_heard else ""
    return _page(subject, MESSAGE.format(subject=subject, facts=facts, html=html, text=row["text"], told=became))


def _told(number: int, told: Sequence[sqlite3.Row]) -> Markup:
    rows = Markup().join(_told_row(row) for row in told)
    outcomes = Markup().join(KIND.format(kind=one) for one in BY_HAND)
    return TOLD.format(id=number, outcomes=outcomes, rows=TOLD_TABLE.format(rows=rows) if told else "")


def _told_row(row: sqlite3.Row) -> Markup:
    """Until it is done, the answer to the last try is shown."""
    waiting = "waiting" if row["due"] and not row["answer"] else ""
    tries = row["tries"] + (row["due"] is None)
    return TOLD_ROW.format(when=_when(row), outcome=row["outcome"], tries=tries, answer=row["answer"] or waiting)


def _when(row: sqlite3.Row) -> str:
    return str(row["at"])[:19].replace("T", " ")


def mail_html(html: str) -> Response:
    """The mail itself, for the frame on its page; its links open beside it."""
    beside = html.replace("<head>", '<head><base target="_blank">', 1)
    return HTMLResponse(beside, headers={"content-security-policy": MAIL_POLICY, "x-content-type-options": "nosniff"})


async def stylesheet(_: Request) -> Response:
    return Response(CSS.read_text(encoding="utf-8"), media_type="text/css")


def _row(row: sqlite3.Row) -> Markup:
    words = row["subject"] or row["text"] or "(empty)"
    return ROW.format(
        at=row["at"], when=_when(row), recipient=row["recipient"], id=row["id"], words=words, tag=row["tag"]
    )


def _page(title: str, body: Markup) -> Response:
    headers = {"content-security-policy": PAGE_POLICY, "x-content-type-options": "nosniff", "cache-control": "no-store"}
    return HTMLResponse(FRAME.format(title=title, body=body), headers=headers)
