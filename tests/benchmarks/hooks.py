"""What a provider waits for when it tells of many messages at once: checked, kept and committed, then answered."""

import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from measure import Line, seconds
from sqlalchemy import func, select

from automation.database.engine import Database
from automation.database.hooks import hook_calls, hook_events
from automation.settings import Settings, load
from automation.web.app import create_app

CALLS, EVENTS = 100, 2000
GOAL = 0.05  # seconds, for 99 of 100 calls
KEY = ec.derive_private_key(20260302, ec.SECP256R1())


def hooks(folder: Path, database: Database) -> Iterator[Line]:
    """SendGrid's calls, with two thousand events each."""
    where = f"{database.engine.dialect.name}, {CALLS} calls of {EVENTS:,} events"
    with served(database, _settings(folder)) as url, httpx.Client(trust_env=False) as client:
        took = sorted(_post(client, url, number) for number in range(CALLS))
        started = time.perf_counter()
        while _waiting(database):
            time.sleep(0.05)
        rest = time.perf_counter() - started
    p99 = took[CALLS * 99 // 100 - 1]
    yield Line(
        "hooks",
        where,
        f"until it is answered, half of them within {seconds(took[CALLS // 2])}",
        seconds(p99),
        p99 / GOAL,
        1,
    )
    yield Line("hooks", where, "working out what still waited then", seconds(rest))


def _post(client: httpx.Client, url: str, number: int) -> float:
    body = json.dumps([_event(number * EVENTS + at) for at in range(EVENTS)]).encode()
    stamp = "1772445600"
    signature = b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    headers = {
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    started = time.perf_counter()
    client.post(url, content=body, headers=headers).raise_for_status()
    return time.perf_counter() - started


def _event(number: int) -> dict[str, object]:
    known = {"email": f"c{number}@example.com", "timestamp": 1772445600, "mid": str(number + 1)}
    return {"event": "delivered", "sg_event_id": f"e-{number}", "sg_message_id": f"m-{number}.x", **known}


def _settings(folder: Path) -> Settings:
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace('kind = "postmark"', 'kind = "sendgrid"', 1)
    text = text.replace(
        "[providers.sandbox_sms]", f'webhook_key = "{b64encode(public).decode()}"\n[providers.sandbox_sms]'
    )
    config.write_text(text, encoding="utf-8")
    return load(config)


@contextmanager
def served(database: Database, settings: Settings) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(database, settings, lambda: datetime.now(UTC))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/sandbox_email"
    server.should_exit = True
    thread.join()


def _waiting(database: Database) -> bool:
    with database.reading() as connection:
        waiting = select(func.count()).select_from(hook_calls).where(hook_calls.c.processed_at.is_(None))
        left = connection.execute(waiting).scalar_one()
        heard = connection.execute(select(func.count()).select_from(hook_events)).scalar_one()
    return bool(left or heard < CALLS * EVENTS)
