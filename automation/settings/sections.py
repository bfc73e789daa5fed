"""The sections of config.toml, but for the providers."""

from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.numbers import is_currency
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from automation.errors import nearest
from automation.values import ClockTime, Duration, Window, WindowPair, clock_time, known_zones

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Channel = Literal["email", "sms"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
SHORTEST_TOKEN = 12


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    url: str = Field("sqlite:///automation.db", description="sqlite:///file or postgresql://user@host/name")
    password: SecretStr | None = Field(None, description="PostgreSQL password, from the environment")


class Business(Section):
    name: str = Field("Example Shop", min_length=1)
    timezone: str = Field("Europe/Rome", description="decides the local date of a run and of days_since()")
    locale: str = Field("en", description="when a customer has none, or a template lacks theirs")
    locales: tuple[str, ...] = Field((), description="languages that every template has to be written in")
    currency: str = Field("EUR", description="ISO 4217; of amounts that name none")
    postal_address: str = Field("Via Esempio 1, 20121 Milano, Italy", min_length=1)
    public_url: str = Field("http://127.0.0.1:8000", description="base of unsubscribe links and provider callbacks")

    shop_url: str = Field("https://shop.example/", description="where the link that customers give to friends leads")
    contact: str = Field(
        "help@shop.example", min_length=3, max_length=40, description="where a person answers; answers to HELP name it"
    )

    @field_validator("shop_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError('this is no web address; write one like "https://shop.example/"')
        return url

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in known_zones():
            cities = {name.rpartition("/")[2].lower(): name for name in sorted(known_zones())}
            close = cities.get(zone.lower().replace(" ", "_")) or nearest(zone, known_zones())
            hint = f'did you mean "{close}"?' if close else 'write one like "Europe/Rome"'
            raise ValueError(f'no time zone "{zone}"; {hint}')
        return zone

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if not is_currency(code):
            raise ValueError(f'no currency "{code}"; write one like "EUR" (ISO 4217)')
        return code

    @field_validator("locales")
    @classmethod
    def _known_locales(cls, locales: tuple[str, ...]) -> tuple[str, ...]:
        for one in locales:
            try:
                Locale.parse(one, sep="-")
            except (ValueError, UnknownLocaleError):
                raise ValueError(f'no language "{one}"; write them like ["en", "pl", "pt-BR"]') from None
        return locales

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
    reply_to: str = Field("", description="where answers go; empty: to `from`")
    providers: tuple[str, ...] = Field(("sandbox_email",), min_length=1)
    window: WindowPair = Window(clock_time("08:00"), clock_time("21:00"))
    max_per_week: int = Field(3, ge=0, le=1000)


class SmsRules(ChannelRules):
    sender: str = Field("+15550100", alias="from", min_length=1)
    providers: tuple[str, ...] = Field(("sandbox_sms",), min_length=1)
    window: WindowPair = Window(clock_time("09:00"), clock_time("20:00"))
    max_per_week: int = Field(2, ge=0, le=1000)
    yes_is_start: bool = Field(False, description="whether a plain yes that comes in is a START")


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


class Serve(Section):
    host: str = Field("127.0.0.1", description="a proxy that ends TLS stands before it")
    port: int = Field(8000, ge=1, le=65_535)
    language: str = Field("en", description="of the console")
    metrics_token: SecretStr | None = Field(
        None, description="whoever asks for /metrics and the probes has it, from the environment"
    )

    @field_validator("metrics_token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"this can be guessed; draw a token of at least {SHORTEST_TOKEN} characters")
        return token


class Holdout(Section):
    everyone: float = Field(0.0, ge=0, lt=1, description="share of customers that never receives marketing")


class Reports(Section):
    """Which events the reports count as what, by their names."""

    orders: tuple[str, ...] = Field(("Order Completed", "order"), description="one of less than nothing is a refund")
    amounts: tuple[str, ...] = Field(
        ("revenue", "amount"), min_length=1, description="properties with the money; the first that is there"
    )
    refunds: tuple[str, ...] = ("Order Refunded",)
    visits: tuple[str, ...] = ("Page Viewed", "Login", "Product Viewed", "Content Viewed")
    actions: tuple[str, ...] = Field(
        ("Cart Updated", "Demo Attended", "Trial Started", "Signed Up", "Order Completed"),
        description="what visitors are hoped to do",
    )
    renewals: tuple[str, ...] = ("Subscription Renewed",)
    cancellations: tuple[str, ...] = ("Subscription Canceled", "Subscription Expired")
    referrals: tuple[str, ...] = ("Referral Made",)
    surveys: tuple[str, ...] = Field(("Survey Answered",), description="with nps (0-10) and csat (1-5)")
    conversations: tuple[str, ...] = Field((), description="talks with people who may buy, such as calls")
