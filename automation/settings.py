"""config.toml, overridden by the environment.

Order: environment (`AUTOMATION_EMAIL__MAX_PER_DAY=2`), files named by `…_FILE`, config.toml, defaults. Secrets are read
from the first two only. All problems are reported at once.
"""

import errno
import os
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from automation.errors import BadFiles, Problem, nearest, suggest
from automation.tomlfile import KeyPath, TomlFile, problems_at, problems_of, read_toml
from automation.values import ClockTime, Duration, Rate, RateText, Window, WindowPair, clock_time

PREFIX = "AUTOMATION_"
SECRETS = frozenset({"token", "auth_token", "secret_key", "webhook_secret", "api_key", "password"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Channel = Literal["email", "sms"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


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
            cities = {name.rpartition("/")[2].lower(): name for name in sorted(available_timezones())}
            close = cities.get(zone.lower().replace(" ", "_")) or nearest(zone, available_timezones())
            hint = f'did you mean "{close}"?' if close else 'write one like "Europe/Rome"'
            raise ValueError(f'no time zone "{zone}"; {hint}')
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
    kind: Literal["postmark", "resend", "twilio"]
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
    def channel(self) -> Channel:
        return "sms" if self.kind == "twilio" else "email"

    @property
    def is_loopback(self) -> bool:
        return self.base_url is not None and urlsplit(self.base_url).hostname in LOOPBACK


class Alerts(Section):
    url: str = Field("", description="incidents are posted there, as of Standard Webhooks; empty: they are only logged")
    webhook_secret: SecretStr | None = Field(None, description="signs what is posted there, from the environment")

    @field_validator("url")
    @classmethod
    def _nobody_listens(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (parts.hostname and (parts.scheme == "https" or _is_at_home(parts))):
            raise ValueError(f'"{url}" is no address for alerts; write one like https://alerts.example.com/automation')
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _in_base64(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _is_base64(secret.get_secret_value().removeprefix("whsec_")):
            raise ValueError("the secret is written in base64, with or without whsec_ before it")
        return secret

    @property
    def is_loopback(self) -> bool:
        return urlsplit(self.url).hostname in LOOPBACK


def _is_base64(text: str) -> bool:
    try:
        return len(b64decode(text + "=" * (-len(text) % 4), validate=True)) > 0
    except ValueError:
        return False


def _is_at_home(parts: SplitResult) -> bool:
    return parts.scheme == "http" and parts.hostname in LOOPBACK


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
    alerts: Alerts = Alerts()
    secret_key: SecretStr | None = Field(None, description="signs unsubscribe links, from the environment")
    root: Path = Field(Path(), exclude=True)

    def channel(self, channel: str) -> ChannelRules:
        return self.email if channel == "email" else self.sms

    def path(self, path: Path) -> Path:
        return path if path.is_absolute() else self.root / path

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
    return variable.endswith("_file") and _is_secret(variable.removesuffix("_file"))


class _SecretFiles(EnvSettingsSource):
    """`AUTOMATION_PROVIDERS__X__TOKEN_FILE=/run/secrets/x` reads the token from that file."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        for name, path in os.environ.items():
            key = name.removesuffix("_FILE").lower()
            if name.startswith(PREFIX) and name.endswith("_FILE") and _is_secret(key):
                found[key] = _secret_in(Path(path))
        return found


def _secret_in(file: Path) -> str:
    """Raises OSError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "not UTF-8", str(file)) from None


def load(config: Path) -> Settings:
    """Read one configuration. Raises BadFiles with every problem in the file and the environment."""
    settings, problems = read(config)
    if problems:
        raise BadFiles(problems)
    return settings


def read(config: Path) -> tuple[Settings, list[Problem]]:
    """What can be read, and what is wrong: each section that is not in order stands with its defaults."""
    try:
        file = read_toml(config)
    except BadFiles as bad:
        return Settings.model_construct(root=config.parent), bad.problems
    data, strange = _known_part(file)
    problems = [*_secrets_in(file), *strange, *_unknown_variables(file)]
    apart, in_sections = _of_sections(_without_secrets(data), file)
    apart = apart.model_copy(update={"root": config.parent})
    try:
        settings = Settings(**_without_secrets(data), root=config.parent)
    except ValidationError as error:
        return apart, [*problems, *_problems(error, file)]
    except OSError as error:
        hint = "check the …_FILE variable"
        unread = Problem(str(error.filename), 0, 0, "a secret's file cannot be read", hint)
        return apart, [*problems, *in_sections, unread]
    except ValueError as error:
        hint = 'lists are written as JSON: ["08:00", "21:00"]'
        return apart, [*problems, *in_sections, Problem("environment", 0, 0, str(error), hint)]
    return settings, [*problems, *_wrong_providers(settings, file), *_unsigned_alerts(settings, file)]


def _known_part(file: TomlFile) -> tuple[dict[str, Any], list[Problem]]:
    """The keys that may stand in the file: what pydantic-settings itself takes (`_env_file`, `root`) may not."""
    known = {name for name in Settings.model_fields if name != "root"}
    strange = [key for key in file.data if key not in known]
    sections = known - SECRETS
    problems = [file.problem((key,), f'unknown key "{key}"', suggest(key, sections), at_key=True) for key in strange]
    return {key: value for key, value in file.data.items() if key not in strange}, problems


def _of_sections(data: dict[str, Any], file: TomlFile) -> tuple[Settings, list[Problem]]:
    """The file alone, section by section: those in order are enough for reading the other files."""
    sections: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in data.items():
        kind: Any = Settings.model_fields[name].annotation
        try:
            sections[name] = TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            problems += problems_of(error, kind, file, (name,))
    return Settings.model_construct(**sections), problems


def _problems(error: ValidationError, file: TomlFile) -> Iterator[Problem]:
    """What comes from the environment is told of the variable, not of the line in the file that it overrides."""
    variables = {name.upper() for name in os.environ}
    for path, problem in problems_at(error, Settings, file).items():
        name = PREFIX + "__".join(map(str, path)).upper()
        if name in variables:
            if not problem.message.startswith("unknown key"):  # unknown variables are told already
                yield Problem("environment", 0, 0, f"{name}: {problem.message}", problem.hint)
        elif path[0] != "providers" or path[:2] in file.keys:  # likewise a provider that only they speak of
            yield problem


def _wrong_providers(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    for channel in CHANNELS:
        for index, key in enumerate(settings.channel(channel).providers):
            path: KeyPath = (channel, "providers", index)
            provider = settings.providers.get(key)
            if provider is None:
                yield file.problem(path, f"there is no [providers.{key}]", suggest(key, settings.providers))
            elif provider.channel != channel:
                hint = f"name a provider for {channel}"
                yield file.problem(path, f"{provider.kind} sends {provider.channel}, not {channel}", hint)


def _unsigned_alerts(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    if settings.alerts.url and settings.alerts.webhook_secret is None:
        hint = f"set {PREFIX}ALERTS__WEBHOOK_SECRET (or …_FILE) in the environment to what the receiver checks with"
        yield file.problem(("alerts", "url"), "alerts need a secret that signs them", hint)


def _is_secret(name: str) -> bool:
    return name.removeprefix(PREFIX.lower()).split("__")[-1] in SECRETS


def _secrets_in(file: TomlFile) -> Iterator[Problem]:
    for path in file.keys:
        if path[-1] in SECRETS:
            name = PREFIX + "__".join(str(part) for part in path).upper()
            hint = f"remove it here, replace it by a new one, and set {name} (or {name}_FILE) in the environment"
            yield file.problem(path, f'a secret ("{path[-1]}") does not belong in a file', hint, at_key=True)


def _without_secrets(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_secrets(value) for key, value in data.items() if key not in SECRETS}
    return data


def _unknown_variables(file: TomlFile) -> Iterator[Problem]:
    """A misspelt variable is an error, not a silence."""
    given = file.data.get("providers")
    providers = {*(given if isinstance(given, dict) else _sandbox()), *_defined_outside()}
    for name in sorted(os.environ):
        if name.startswith(PREFIX):
            bare = name.removesuffix("_FILE") if _is_secret(name.removesuffix("_FILE").lower()) else name
            parts = bare.removeprefix(PREFIX).lower().split("__")
            right, known = _nearest_path(parts, providers)
            if right != parts:
                hint = suggest(parts[-1], known)
                if right:
                    hint = f"did you mean {PREFIX}{'__'.join(right).upper()}?"
                yield Problem("environment", 0, 0, f"unknown variable {name}", hint)


def _defined_outside() -> set[str]:
    """Providers that stand in the environment alone."""
    names = (name.removeprefix(f"{PREFIX}PROVIDERS__").lower() for name in os.environ)
    return {name.removesuffix("__kind") for name in names if name.endswith("__kind")}


def _nearest_path(parts: list[str], providers: Iterable[str]) -> tuple[list[str] | None, list[str]]:
    """The names of a setting that is most like `parts`, or None with the names known where nothing is like them."""
    model: Any = Settings
    right: list[str] = []
    for part in parts:
        names = _names(model, providers)
        found = part if part in names else nearest(part, names)
        if found is None:
            return None, sorted(names)
        right.append(found)
        model = names[found]
    return right, []


def _names(model: Any, providers: Iterable[str]) -> dict[str, Any]:
    """The names below a section with what stands under each; a plain setting has none below."""
    if model == dict[str, Provider]:
        return dict.fromkeys(providers, Provider)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {}
    return {info.alias or key: info.annotation for key, info in model.model_fields.items() if not info.exclude}
