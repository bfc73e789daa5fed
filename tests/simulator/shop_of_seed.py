"""The settings a seed draws: which providers, how many at a time, and what the shop allows itself."""

from pathlib import Path
from random import Random

from automation.settings import Settings, load

CONFIG = """
[database]
url = "{url}"
[business]
timezone = "Europe/Rome"
[paths]
lifecycle = "playbooks/lifecycles/simulated.toml"
[email]
providers = {email}
window = {email_window}
max_per_day = {per_day}
max_per_week = 3
[sms]
providers = ["text"]
window = ["09:00", "20:00"]
max_per_day = 1
max_per_week = 2
[holdout]
everyone = 0.05
"""
PROVIDER = """
[providers.{key}]
kind = "{kind}"
base_url = "http://127.0.0.1:{port}"
rate = "100000/second"
concurrency = {concurrency}
batch = {batch}
timeout = "2 seconds"
on_unknown = "{on_unknown}"
"""
PORTS = {1025: "mail", 1026: "spare", 1027: "text"}
WINDOWS = ('["08:00", "21:00"]', '["07:30", "22:00"]', '["10:00", "19:00"]')


def settings_of(folder: Path, url: str, chance: Random) -> Settings:
    email = chance.choice(('["mail"]', '["mail", "spare"]'))
    text = CONFIG.format(url=url, email=email, email_window=chance.choice(WINDOWS), per_day=chance.choice((1, 1, 2)))
    for port, key in PORTS.items():
        kind = "twilio" if key == "text" else chance.choice(("postmark", "resend"))
        text += PROVIDER.format(
            key=key,
            kind=kind,
            port=port,
            concurrency=chance.choice((1, 3, 8)),
            batch=1 if kind == "twilio" else chance.choice((1, 3, 100)),
            on_unknown=chance.choice(("hold", "hold", "resend")),
        )
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder / "config.toml")
