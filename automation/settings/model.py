"""All settings, and where else than from the file they come."""

import errno
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from automation.settings.provider import Provider, sandbox_providers
from automation.settings.sections import (
    CHANNELS,
    LOOPBACK,
    Alerts,
    Business,
    ChannelRules,
    Database,
    EmailRules,
    Holdout,
    Paths,
    Reports,
    Schedule,
    Serve,
    SmsRules,
)

PREFIX = "AUTOMATION_"
SECRETS = frozenset(
    {
        "api_key",
        "auth_token",
        "metrics_token",
        "password",
        "previous_secret_key",
        "secret_key",
        "session_token",
        "token",
        "webhook_secret",
    }
)


class Settings(BaseSettings):
    """Every setting. `root` is the folder of config.toml; relative paths are relative to it."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

    database: Database = Database()
    business: Business = Business()
    paths: Paths = Paths()
    schedule: Schedule = Schedule()
    email: EmailRules = EmailRules()
    sms: SmsRules = SmsRules()
    providers: dict[str, Provider] = Field(default_factory=sandbox_providers)
    serve: Serve = Serve()
    holdout: Holdout = Holdout()
    alerts: Alerts = Alerts()
    reports: Reports = Reports()
    topics: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="what customers read for a topic, by language"
    )
    secret_key: SecretStr | None = Field(None, description="signs unsubscribe links, from the environment")
    previous_secret_key: SecretStr | None = Field(None, description="likewise, of links that were sent before a change")
    root: Path = Field(Path(), exclude=True)

    def channel(self, channel: str) -> ChannelRules:
        return self.email if channel == "email" else self.sms

    def path(self, path: Path) -> Path:
        return path if path.is_absolute() else self.root / path

    def callback_url(self, provider: str) -> str | None:
        """Where this provider is to tell what became of a message; None where it could not reach us."""
        if self.is_loopback and not self.providers[provider].is_loopback:
            return None
        return f"{self.business.public_url.rstrip('/')}/hooks/{provider}"

    def is_at_home(self, provider: str) -> bool:
        """Whether this provider and whoever it calls are on this machine alone, where nothing needs to be secret."""
        return self.is_loopback and self.serve.host in LOOPBACK and self.providers[provider].is_loopback

    @property
    def is_loopback(self) -> bool:
        """Whether nobody from outside is expected: the public address is on this machine."""
        return urlsplit(self.business.public_url).hostname in LOOPBACK

    @property
    def sandbox_url(self) -> str | None:
        """Where messages end that never leave this machine; None when every provider in use is a real one."""
        used = (self.providers[key] for channel in CHANNELS for key in self.channel(channel).providers)
        return next((one.base_url.rstrip("/") for one in used if one.base_url and one.is_loopback), None)

    @cached_property
    def real_providers(self) -> list[str]:
        """Keys of the providers in use that are not on this machine."""
        used = {key for channel in CHANNELS for key in self.channel(channel).providers}
        return sorted(key for key in used if not self.providers[key].is_loopback)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (likewise)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the signature is the library's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (likewise)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (_Variables(settings_cls), _SecretFiles(settings_cls), init_settings)


class _Variables(EnvSettingsSource):
    """All variables but those that name a secret's file: to their section they would be unknown keys."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = super()._load_env_vars()
        return {name: value for name, value in found.items() if not _names_a_file(name)}


def _names_a_file(variable: str) -> bool:
    return variable.endswith("_file") and is_secret(variable.removesuffix("_file"))


class _SecretFiles(EnvSettingsSource):
    """`AUTOMATION_PROVIDERS__X__TOKEN_FILE=/run/secrets/x` reads the token from that file."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        for name, path in os.environ.items():
            key = name.removesuffix("_FILE").lower()
            if name.startswith(PREFIX) and name.endswith("_FILE") and is_secret(key):
                found[key] = _secret_in(Path(path))
        return found


def _secret_in(file: Path) -> str:
    """Raises OSError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "not UTF-8", str(file)) from None


def is_secret(name: str) -> bool:
    return name.removeprefix(PREFIX.lower()).split("__")[-1] in SECRETS
