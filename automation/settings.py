"""config.toml, overridden by the environment.

Order: environment (`AUTOMATION_EMAIL__MAX_PER_DAY=2`), files named by `…_FILE`, config.toml, defaults. Secrets are read
from the first two only. All problems are reported at once.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from automation.errors import BadFiles, Problem, nearest, suggest
from automation.tomlfile import TomlFile, problems_of, read_toml
from automation.values import ClockTime, Duration, Rate, RateText, Window, WindowPair, clock_time

PREFIX = "AUTOMATION_"
SECRETS = frozenset({"token", "auth_token", "secret_key", "webhook_secret", "api_key", "password"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Channel = Literal["email", "sms"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    url: str = Field("sqlite:///automation.db", description="sqlite:///file or postgresql://user@host/name")
    password: SecretStr | None = Field(None, description="PostgreSQL password, from the environment")


class Business(Section):
    name: str = Field("Example Shop", min_length=1)
    timezone: str = Field("Europe/Rome", description="decides the local date of a run and of days_since()")
    locale: str = Field("en", description="when a customer has none, or a template lacks theirs")
    postal_address: str = Field("Via Esempio 1, 20121 Milano, Italy", min_length=1)
    public_url: str = Field("http://127.0.0.1:8000", description="base of unsubscribe links and provider callbacks")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            close = nearest(zone, available_timezones())
            raise ValueError(f'no time zone "{zone}"' + (f'; did you mean "{close}"?' if close else ""))
        return zone

    @field_validator("name", "postal_address")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if any(ord(one) < ord(" ") for one in text):
            raise ValueError("this must be one line without control characters")
        return text

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Paths(Section):
    lifecycle: Path = Path("playbooks/lifecycles/standard.toml")
    facts: Path = Path("playbooks/facts.toml")
    playbooks: Path = Path("playbooks")
    templates: Path = Path("templates")


class Schedule(Section):
    evaluate_at: ClockTime = Field(clock_time("06:00"), description="local time of the business zone")
    dispatch_every: Duration = timedelta(seconds=15)


class ChannelRules(Section):
    sender: str = Field(alias="from", min_length=1)
    providers: tuple[str, ...] = Field(min_length=1, description="tried in order")
    window: WindowPair = Field(description="the customer's local time; may pass midnight")
    max_per_day: int = Field(1, ge=0, le=1000, description="marketing messages a customer, by local day")
    max_per_week: int = Field(ge=0, le=1000, description="likewise, in any seven local days")


class EmailRules(ChannelRules):
    sender: str = Field("Example Shop <hello@example.com>", alias="from", min_length=1)
    providers: tuple[str, ...] = Field(("sandbox_email",), min_length=1)
    window: WindowPair = Window(clock_time("08:00"), clock_time("21:00"))
    max_per_week: int = Field(3, ge=0, le=1000)


class SmsRules(ChannelRules):
    sender: str = Field("+15550100", alias="from", min_length=1)
    providers: tuple[str, ...] = Field(("sandbox_sms",), min_length=1)
    window: WindowPair = Window(clock_time("09:00"), clock_time("20:00"))
    max_per_week: int = Field(2, ge=0, le=1000)


class Provider(Section):
    kind: Literal["postmark", "twilio"]
    base_url: str | None = Field(None, description="every provider's base URL can be replaced")
    rate: RateText = Rate(50, timedelta(seconds=1))
    concurrency: int = Field(32, ge=1, le=1000)
    batch: int = Field(500, ge=1, le=2000, description="where the provider takes complete messages in one call")
    timeout: Duration = timedelta(seconds=30)
    on_unknown: Literal["hold", "resend"] = "hold"
    account: str | None = Field(None, description="Twilio's account SID")
    messaging_service: str | None = Field(None, description="Twilio's messaging service SID, instead of a number")
    stream: str | None = Field(None, description="Postmark's message stream for marketing; default broadcast")
    token: SecretStr | None = Field(None, description="the provider's secret, from the environment")

    @field_validator("base_url")
    @classmethod
    def _a_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            raise ValueError(f'"{url}" is no base URL; write one like https://api.example.com')
        return url

    @property
    def is_loopback(self) -> bool:
        return self.base_url is not None and urlsplit(self.base_url).hostname in LOOPBACK


class Holdout(Section):
    everyone: float = Field(0.0, ge=0, lt=1, description="share of customers that never receives marketing")


def _sandbox() -> dict[str, Provider]:
    base_url = "http://127.0.0.1:8025"
    return {
        "sandbox_email": Provider(kind="postmark", base_url=base_url),
        "sandbox_sms": Provider(kind="twilio", base_url=base_url, batch=1),
    }


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
    providers: dict[str, Provider] = Field(default_factory=_sandbox)
    holdout: Holdout = Holdout()
    secret_key: SecretStr | None = Field(None, description="signs unsubscribe links, from the environment")
    root: Path = Field(Path(), exclude=True)

    @model_validator(mode="after")
    def _known_providers(self) -> "Settings":
        for channel in ("email", "sms"):
            for key in self.channel(channel).providers:
                if key not in self.providers:
                    hint = suggest(key, self.providers)
                    raise ValueError(f"[{channel}] providers: there is no [providers.{key}]; {hint}")
        return self

    def channel(self, channel: str) -> ChannelRules:
        return self.email if channel == "email" else self.sms

    def path(self, path: Path) -> Path:
        return path if path.is_absolute() else self.root / path

    @cached_property
    def real_providers(self) -> list[str]:
        """Keys of the providers in use that are not on this machine."""
        used = {key for channel in ("email", "sms") for key in self.channel(channel).providers}
        return sorted(key for key in used if not self.providers[key].is_loopback)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the signature is the library's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (likewise)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, _SecretFiles(settings_cls), init_settings)


class _SecretFiles(EnvSettingsSource):
    """`AUTOMATION_PROVIDERS__X__TOKEN_FILE=/run/secrets/x` reads the token from that file."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        for name, path in os.environ.items():
            key = name.removesuffix("_FILE").lower()
            if name.startswith(PREFIX) and name.endswith("_FILE") and _is_secret(key):
                found[key] = Path(path).read_text(encoding="utf-8").strip()
        return found


def load(config: Path) -> Settings:
    """Read one configuration. Raises BadFiles with every problem in the file and the environment."""
    file = read_toml(config)
    problems = [*_secrets_in(file), *_unknown_variables()]
    try:
        found = Settings(**_without_secrets(file.data), root=config.parent)
    except ValidationError as error:
        problems += [problem for problem in problems_of(error, Settings, file) if problem not in problems]
    except OSError as error:
        problems.append(
            Problem(str(error.filename), 0, 0, "a secret's file cannot be read", "check the …_FILE variable")
        )
    except ValueError as error:
        problems.append(Problem("environment", 0, 0, str(error), 'lists are written as JSON: ["08:00", "21:00"]'))
    if problems:
        raise BadFiles(problems)
    return found


def _is_secret(name: str) -> bool:
    return name.removeprefix(PREFIX.lower()).split("__")[-1] in SECRETS


def _secrets_in(file: TomlFile) -> Iterator[Problem]:
    for path in file.keys:
        if path[-1] in SECRETS:
            name = PREFIX + "__".join(str(part) for part in path).upper()
            hint = f"remove it here, change it at the provider, and set {name} (or {name}_FILE) in the environment"
            yield file.problem(path, f'a secret ("{path[-1]}") does not belong in a file', hint, at_key=True)


def _without_secrets(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_secrets(value) for key, value in data.items() if key not in SECRETS}
    return data


def _unknown_variables() -> Iterator[Problem]:
    """A misspelt variable is an error, not a silence."""
    for name in sorted(os.environ):
        if not name.startswith(PREFIX):
            continue
        parts = name.removeprefix(PREFIX).lower().split("__")
        if _is_secret(parts[-1].removesuffix("_file")):
            parts[-1] = parts[-1].removesuffix("_file")
        known = _known_at(parts)
        if known is not None:
            hint = suggest(parts[-1], known)
            yield Problem("environment", 0, 0, f"unknown variable {name}", hint)


def _known_at(parts: list[str]) -> list[str] | None:
    """None when the path exists, else the names known where it breaks."""
    model: Any = Settings
    for depth, part in enumerate(parts):
        names = [info.alias or key for key, info in model.model_fields.items() if key != "root"]
        if part not in names:
            return names
        inner = next(info for key, info in model.model_fields.items() if (info.alias or key) == part).annotation
        if part == "providers" and depth == 0:
            return None if len(parts) == 3 and parts[2] in Provider.model_fields else list(Provider.model_fields)  # noqa: PLR2004 (providers, name, key)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None if depth == len(parts) - 1 else names
        model = inner
    return None
