"""What a customer's own columns mean: an address, a number, a place in the world. Each raises ValueError with a reason.

No reason repeats an address or a number.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_locale_identifier, parse_locale
from email_validator import EmailNotValidError, validate_email

from automation.errors import nearest
from automation.values import known_zones

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Common addresses, where email-validator (50 µs a call) is known to say yes; every other one is left to it. Domains
# with "--" are, because they may be Punycode, and so are those reserved for special use.
_COMMON_EMAIL = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*@(?!.*--)(?!.*\.(?:arpa|invalid|local|localhost|onion)$)(?:{_LABEL}\.)+"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?<=[a-z])"
)
_LONGEST_COMMON_EMAIL = 200
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CONSENT = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def email_address(text: str) -> str:
    """The address in lower case.

    The part before the @ may be case-sensitive by the letter of RFC 5321, by no mailbox provider in use: two spellings
    would be two addresses to suppressions and caps.
    """
    lower = text.lower()
    if len(lower) <= _LONGEST_COMMON_EMAIL and _COMMON_EMAIL.fullmatch(lower) and text.isascii():
        return lower
    try:
        # test_environment: the domain .test is fit for trying things out.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"not an email address: {error}") from None


def phone_number(text: str, country: str | None) -> str:
    """E.164. A number without + is read as dialed in the customer's country.

    It must be possible, not assigned: the numbers set aside for fiction are used for tests.
    """
    if _E164.fullmatch(text) and _is_canonical(text):
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise ValueError("no country: begin the phone number with + and the country's code") from None
        raise ValueError("not a phone number; write one like +15550100") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("not a possible phone number in its country: too short or too long")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class _Numbering(NamedTuple):
    """A country calling code's rules: how long its numbers are, and which beginnings the library rewrites."""

    code_length: int
    lengths: frozenset[int]
    rewritten: re.Pattern[str]


def _is_canonical(number: str) -> bool:
    """Whether the library (80 µs a call) would give back this E.164 number as it is."""
    rules = _numbering(number[1:4])
    if rules is None:
        return False
    national = number[1 + rules.code_length :]
    return len(national) in rules.lengths and not rules.rewritten.match(national)


@lru_cache(maxsize=1000)
def _numbering(digits: str) -> _Numbering | None:
    for length in (1, 2, 3):
        code = int(digits[:length])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            region = phonenumbers.region_code_for_country_code(code)
            metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            prefix = (metadata and metadata.national_prefix_for_parsing) or "(?!)"
            return _Numbering(length, _lengths(code), re.compile(prefix))
    return None


def _lengths(code: int) -> frozenset[int]:
    samples = {length: phonenumbers.PhoneNumber(code, 10 ** (length - 1)) for length in range(2, 15)}
    return frozenset(length for length, number in samples.items() if phonenumbers.is_possible_number(number))


@lru_cache(maxsize=1000)
def locale_tag(text: str) -> str:
    """A language, optionally with script and territory, written like `pl-PL`."""
    identifier = text.replace("-", "_")
    try:
        Locale.parse(identifier)
        parts = parse_locale(identifier)[:4]
    except (ValueError, UnknownLocaleError):
        raise ValueError('not a known locale; write one like "pl" or "pl-PL"') from None
    return get_locale_identifier(parts, sep="-")


@lru_cache(maxsize=1000)
def time_zone(text: str) -> str:
    """A name of the IANA time zone database."""
    if text in known_zones():
        return text
    close = nearest(text, known_zones())
    raise ValueError("not a time zone; " + (f'did you mean "{close}"?' if close else 'write one like "Europe/Warsaw"'))


@lru_cache(maxsize=1000)
def country_code(text: str) -> str:
    """Two letters of ISO 3166, in upper case."""
    code = text.upper()
    if code in _countries():
        return code
    raise ValueError('not a country; write its two letters, like "PL" or "GB"')


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    letters = 2
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == letters and code != "ZZ")


def consent_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value)
    flag = _CONSENT[text] if text in _CONSENT else _CONSENT.get(text.strip().lower())
    if flag is None:
        raise ValueError("consent is told by true or false")
    return flag


def home_of(country: str | None, phone: str | None) -> str | None:
    """The country whose rules hold for a customer: their own, else that of their number."""
    return country or (country_of(phone) if phone else None)


@lru_cache(maxsize=10_000)
def country_of(phone: str) -> str | None:
    """The country of an E.164 number."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return None
