"""config.toml, overridden by the environment.

Order: environment (`AUTOMATION_EMAIL__MAX_PER_DAY=2`), files named by `…_FILE`, config.toml, defaults. Secrets are read
from the first two only. All problems are reported at once.
"""

from automation.settings.model import PREFIX, SECRETS, Settings
from automation.settings.provider import EmailKind, Provider, SmsKind
from automation.settings.reading import load, read
from automation.settings.sections import CHANNELS, LOOPBACK, Channel

__all__ = [
    "CHANNELS",
    "LOOPBACK",
    "PREFIX",
    "SECRETS",
    "Channel",
    "EmailKind",
    "Provider",
    "Settings",
    "SmsKind",
    "load",
    "read",
]
