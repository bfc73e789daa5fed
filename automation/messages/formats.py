"""The filters of our own: dates, money, plurals and campaign links, as a customer's locale writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, is_currency
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from automation.errors import BadMessage
from automation.values import instant

Style = Literal["short", "medium", "long"]
STYLES = ("short", "medium", "long")
PLURALS = ("zero", "one", "two", "few", "many", "other")
SOURCE = "lifecycle"
# Babel groups digits with these; either one turns a whole SMS into UCS-2: 70 characters, not 160.
PLAIN_SPACES = str.maketrans("\u00a0\u202f", "  ")


@dataclass(frozen=True)
class Formats:
    """How one message writes its values. `locale` is Babel's identifier, `zone` the business's."""

    locale: str
    zone: tzinfo
    medium: Literal["email", "sms"]
    campaign: str

    def spaced(self, text: str) -> str:
        return text.translate(PLAIN_SPACES) if self.medium == "sms" else text


@lru_cache(maxsize=4096)
def formats(wanted: str, written: str, zone: tzinfo, medium: Literal["email", "sms"], campaign: str) -> Formats:
    """The customer's own locale where it is a variety of the language the template is written in, else the template's.

    An English text that falls to a German customer has English dates.
    """
    language = written.replace("_", "-").split("-")[0].lower()
    same = wanted.replace("_", "-").split("-")[0].lower() == language
    return Formats(_identifier(wanted if same else written, written), zone, medium, campaign)


def _identifier(wanted: str, written: str) -> str:
    try:
        return str(Locale.parse(wanted.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        return str(Locale.parse(written.replace("-", "_")))


@pass_context
def date_filter(context: Context, value: Any, style: Style = "long") -> str:
    """An instant, a date, or ISO text of either, as a local date."""
    if style not in STYLES:
        raise BadMessage('date takes "short", "medium" or "long"')
    how: Formats = context.parent["formats"]
    return how.spaced(_date(_local_day(_present(value), how.zone), style, how.locale))


def _local_day(value: Any, zone: tzinfo) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == len("2026-01-31") else instant(value)
        except ValueError:
            raise BadMessage("date was given a text that is no instant") from None
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(zone).date()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise BadMessage("date was given something that is no instant")


@lru_cache(maxsize=16384)
def _date(day: date, style: Style, locale: str) -> str:
    return format_date(day, style, locale=locale)


@pass_context
def money_filter(context: Context, value: Any, currency: str) -> str:
    """An amount with its currency (ISO 4217), as `€1,234.50`."""
    how: Formats = context.parent["formats"]
    return how.spaced(_money(_number(value, "money"), currency, how.locale))


@lru_cache(maxsize=65536)
def _money(value: Decimal, currency: str, locale: str) -> str:
    if not is_currency(currency):
        raise BadMessage('money takes a currency like "EUR"')
    return format_currency(value, currency, locale=locale)


@pass_context
def plural_filter(context: Context, value: Any, **forms: str) -> str:
    """The form that a number takes in the locale's language (CLDR), `#` replaced with the number."""
    how: Formats = context.parent["formats"]
    number = _number(value, "plural")
    form = _plural_form(how.locale)(int(number) if number == int(number) else number)
    # Whole numbers never need "other" in some languages, so nobody writes it there.
    text = forms.get(form) or forms.get("other") or forms.get("many")
    if text is None:
        raise BadMessage(f'plural lacks the form "{form}"; write {form}="# …"')
    return text.replace("#", how.spaced(_decimal(number, how.locale)))


@lru_cache(maxsize=256)
def _plural_form(locale: str) -> Callable[[Any], str]:
    return cast("Callable[[Any], str]", Locale.parse(locale).plural_form)


@lru_cache(maxsize=16384)
def _decimal(value: Decimal, locale: str) -> str:
    return format_decimal(value, locale=locale)


def plural_forms(locale: str) -> frozenset[str]:
    """The forms besides "other" that whole numbers take in a language."""
    form = _plural_form(_identifier(locale, locale))
    return frozenset(form(number) for number in range(201)) - {"other"}


@pass_context
def link_filter(context: Context, value: Any) -> str:
    """A web address with the playbook's campaign parameters; those already there stay as they are."""
    how: Formats = context.parent["formats"]
    return _link(str(_present(value)), how.medium, how.campaign)


@lru_cache(maxsize=16384)
def _link(url: str, medium: str, campaign: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not url.isprintable() or " " in url:
        raise BadMessage("link takes a whole web address that starts with https:// or http://")
    wanted = {"utm_source": SOURCE, "utm_medium": medium, "utm_campaign": campaign}
    there = {pair.partition("=")[0] for pair in parts.query.split("&")}
    added = [f"{key}={quote(value, safe='')}" for key, value in wanted.items() if key not in there]
    return parts._replace(query="&".join([*([parts.query] if parts.query else []), *added])).geturl()


@pass_context
def survey_filter(context: Context, key: str, answer: Any = None) -> str:
    """The address of the customer's own page of a survey, with an answer already chosen where one is given."""
    page = f"{context.parent['survey_url']}/{quote(key, safe='')}"
    return page if answer is None else f"{page}?a={quote(str(_present(answer)), safe='')}"


def _number(value: Any, name: str) -> Decimal:
    value = _present(value)
    try:
        number = Decimal(str(value)) if not isinstance(value, bool | Decimal) else Decimal(value)
    except InvalidOperation:
        raise BadMessage(f"{name} was given something that is no number") from None
    if isinstance(value, bool) or not number.is_finite():
        raise BadMessage(f"{name} was given something that is no number")
    return number


def _present(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises, and names what is not set
    return value


FILTERS: Mapping[str, Callable[..., str]] = {
    "date": date_filter,
    "money": money_filter,
    "plural": plural_filter,
    "link": link_filter,
    "survey": survey_filter,
}
