"""Made-up people for the sample shop, at addresses and numbers that can be nobody's.

Domains: https://www.rfc-editor.org/rfc/rfc2606; numbers: 555-0100 to 555-0199 of every area are for fiction.
"""

from random import Random
from typing import NamedTuple
from unicodedata import normalize


class Place(NamedTuple):
    locale: str
    country: str
    timezone: str
    names: str


# Most live where the shop does; a few so far away that its hours are their night.
PLACES = (
    (54, Place("it", "IT", "Europe/Rome", "it")),
    (3, Place("it-CH", "CH", "Europe/Zurich", "it")),
    (10, Place("de", "DE", "Europe/Berlin", "de")),
    (3, Place("de-AT", "AT", "Europe/Vienna", "de")),
    (9, Place("pl", "PL", "Europe/Warsaw", "pl")),
    (6, Place("en-GB", "GB", "Europe/London", "en")),
    (5, Place("fr", "FR", "Europe/Paris", "fr")),
    (4, Place("es", "ES", "Europe/Madrid", "es")),
    (3, Place("en-US", "US", "America/New_York", "en")),
    (1, Place("en-US", "US", "America/Los_Angeles", "en")),
    (1, Place("es-MX", "MX", "America/Mexico_City", "es")),
    (1, Place("en-AU", "AU", "Australia/Sydney", "en")),
)
FIRST_NAMES = {
    "it": "Giulia Marco Chiara Luca Elena Paolo Sara Davide Marta Fabio Irene Nicola Silvia Pietro Alba",
    "de": "Anna Jonas Lena Felix Marie Paul Clara Emil Greta Jörg Heike Moritz Käthe Lukas Nele",
    "pl": "Zofia Jakub Hanna Michał Maja Piotr Łucja Tomasz Ewa Kacper Agata Paweł Iga Marek Ola",
    "en": "Emily Oliver Grace Henry Alice George Ruby Arthur Hazel Theo Nora Frank Ivy Leo Maud",
    "fr": "Camille Louis Jeanne Hugo Zoé Jules Léa Rémi Agnès Noël Élise Luc Inès Denis Maëlle",
    "es": "Lucía Mateo Carmen Diego Inés Pablo Noa Álvaro Marina Íñigo Alba Tomás Vera Nuria Hugo",
}
LAST_NAMES = {
    "it": "Verdelago Montalieve Boscoraro Pratofiore Serachiara Pontevento Fontalba Roccamela Campodoro",
    "de": "Birkenfurt Sommerhag Lindwasser Grünquell Hohenmoos Apfelbach Nebelberg Steinlaub Wiesengrund",
    "pl": "Brzozowik Jeziorak Malinowiec Wietrznik Sosnowiak Polanek Rumianek Gwiazdak Wrzosowiak",
    "en": "Meadowcroft Larkbrook Appleford Winterhill Fernsby Oakhollow Brightwell Thistleby Marrowdale",
    "fr": "Clairebois Montfleury Beauvent Rivedouce Pommeraie Vertchamp Hautelande Boisjoli Fontaineval",
    "es": "Montebruno Riosereno Floralba Valdelino Campoluz Piedranube Sotoviento Almendral Vegaclara",
}
DOMAINS = ("example.com", "mail.example.com", "letters.test", "post.test")
AREAS = (201, 212, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 801, 808, 901, 907, 919, 952, 973)
NUMBERS_AN_AREA = 100
COLUMNS = (
    "customer_id",
    "email",
    "phone",
    "locale",
    "timezone",
    "country",
    "signup_at",
    "email_consent",
    "sms_consent",
    "first_name",
    "last_name",
    "plan",
    "trial_ends",
    "renews_at",
    "storage_used",
)


def person(chance: Random, number: int, customer_id: str) -> dict[str, str]:
    """A customer's row as an import file would hold it, all but what the person did; "" where nothing is known."""
    (place,) = chance.choices([one for _, one in PLACES], [weight for weight, _ in PLACES])
    first, last = (chance.choice(names[place.names].split()) for names in (FIRST_NAMES, LAST_NAMES))
    phone = _phone(number) if happens(chance, 0.45) else ""
    knows_zone, knows_country = happens(chance, 0.86), happens(chance, 0.97)
    row = dict.fromkeys(COLUMNS, "")
    return row | {
        "customer_id": customer_id,
        "email": _email(chance, first, last, number),
        "phone": phone,
        "locale": place.locale if happens(chance, 0.95) else "",
        "timezone": place.timezone if knows_zone else "",
        "country": place.country if knows_country else "",
        "email_consent": _consent(chance, 0.82),
        "sms_consent": _consent(chance, 0.6) if phone else "",
        "first_name": first if happens(chance, 0.96) else "",
        "last_name": last,
    }


def happens(chance: Random, share: float) -> bool:
    """True in this share of all cases."""
    return chance.random() < share


def _email(chance: Random, first: str, last: str, number: int) -> str:
    if happens(chance, 0.02):
        return ""
    if happens(chance, 0.006):
        # The sandbox refuses mail to "inactive@" as a provider refuses an address that bounced before.
        return f"inactive@box-{number}.test"
    return f"{_ascii(first)}.{_ascii(last)}.{number}@{chance.choice(DOMAINS)}"


def _ascii(name: str) -> str:
    """Letters only: é becomes e, and ł, which has no accent to take off, becomes l."""
    plain = normalize("NFKD", name.replace("Ł", "L").replace("ł", "l"))
    return plain.encode("ascii", "ignore").decode().lower()


def _phone(number: int) -> str:
    area = AREAS[number // NUMBERS_AN_AREA % len(AREAS)]
    return f"+1{area}55501{number % NUMBERS_AN_AREA:02}"


def _consent(chance: Random, share: float) -> str:
    """yes, no, or never asked."""
    if happens(chance, share):
        return "true"
    return "false" if happens(chance, 0.33) else ""
