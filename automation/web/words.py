"""What the pages say, in the languages we have."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    title: str
    email: str
    sms: str
    button: str
    done: str
    later: str


WORDS: Mapping[str, Words] = {
    "de": Words(
        "Abmelden",
        "Keine Angebote von {name} mehr per E-Mail?",
        "Keine Angebote von {name} mehr per SMS?",
        "Abmelden",
        "Du bist abgemeldet. Angebote bekommst du auf diesem Weg nicht mehr.",
        "Das hat gerade nicht geklappt. Bitte versuche es in einer Minute noch einmal.",
    ),
    "en": Words(
        "Unsubscribe",
        "No more offers from {name} by email?",
        "No more offers from {name} by text?",
        "Unsubscribe",
        "You are unsubscribed. You will get no more offers this way.",
        "That did not work just now. Please try again in a minute.",
    ),
    "it": Words(
        "Annulla iscrizione",
        "Non vuoi più ricevere offerte di {name} via e-mail?",
        "Non vuoi più ricevere offerte di {name} via SMS?",
        "Annulla iscrizione",
        "La tua iscrizione è annullata. Non riceverai più offerte in questo modo.",
        "Al momento non è stato possibile. Riprova tra un minuto.",
    ),
    "pl": Words(
        "Rezygnacja",
        "Nie chcesz więcej ofert {name} e-mailem?",
        "Nie chcesz więcej ofert {name} SMS-em?",
        "Zrezygnuj",
        "Rezygnacja została przyjęta. Nie wyślemy Ci więcej ofert tą drogą.",
        "Nie udało się. Spróbuj ponownie za minutę.",
    ),
    "ru": Words(
        "Отписаться",
        "Больше не присылать предложения {name} по электронной почте?",
        "Больше не присылать предложения {name} по SMS?",
        "Отписаться",
        "Вы отписаны. Предложений этим путём больше не будет.",
        "Сейчас не получилось. Попробуйте ещё раз через минуту.",
    ),
    "zh": Words(
        "退订",
        "不再通过电子邮件接收 {name} 的优惠信息？",
        "不再通过短信接收 {name} 的优惠信息？",
        "退订",
        "您已退订，将不再通过此方式收到优惠信息。",
        "操作未成功，请一分钟后重试。",
    ),
}


def words_in(*locales: str | None) -> tuple[str, Words]:
    """The first of these languages that we have, else English; with its code."""
    for locale in locales:
        language = (locale or "").replace("_", "-").partition("-")[0].lower()
        if language in WORDS:
            return language, WORDS[language]
    return "en", WORDS["en"]
