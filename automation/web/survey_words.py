"""What is ours on the page of a survey, around the words of those who ask."""

from collections.abc import Mapping
from typing import NamedTuple


class SurveyWords(NamedTuple):
    """`{answer}` is the one that stands; `{most}` is a number of characters."""

    title: str
    send: str
    change: str
    choose: str
    optional: str
    too_long: str
    stands: str


SURVEY_WORDS: Mapping[str, SurveyWords] = {
    "de": SurveyWords(
        title="Deine Meinung",
        send="Absenden",
        change="Antwort ändern",
        choose="Bitte wähle zuerst eine Antwort aus.",
        optional="freiwillig",
        too_long="Dein Kommentar ist zu lang. Bitte kürze ihn auf {most} Zeichen.",
        stands="Hier lässt sich deine Antwort nicht noch einmal ändern. Es bleibt bei: {answer}",
    ),
    "en": SurveyWords(
        title="Your opinion",
        send="Send",
        change="Change my answer",
        choose="Please choose an answer first.",
        optional="optional",
        too_long="Your comment is too long. Please shorten it to {most} characters.",
        stands="Your answer cannot be changed here any more. The one that counts: {answer}",
    ),
    "es": SurveyWords(
        title="Tu opinión",
        send="Enviar",
        change="Cambiar mi respuesta",
        choose="Elige primero una respuesta.",
        optional="opcional",
        too_long="Tu comentario es demasiado largo. Redúcelo a {most} caracteres.",
        stands="Aquí ya no puedes cambiar tu respuesta. La que cuenta: {answer}",
    ),
    "fr": SurveyWords(
        title="Votre avis",
        send="Envoyer",
        change="Modifier ma réponse",
        choose="Choisissez d’abord une réponse.",
        optional="facultatif",
        too_long="Votre commentaire est trop long. Réduisez-le à {most} caractères.",
        stands="Vous ne pouvez plus modifier votre réponse ici. Celle qui compte : {answer}",
    ),
    "it": SurveyWords(
        title="La tua opinione",
        send="Invia",
        change="Modifica la risposta",
        choose="Scegli prima una risposta.",
        optional="facoltativo",
        too_long="Il tuo commento è troppo lungo. Riducilo a {most} caratteri.",
        stands="Qui non puoi più cambiare la tua risposta. Vale questa: {answer}",
    ),
    "pl": SurveyWords(
        title="Twoja opinia",
        send="Wyślij",
        change="Zmień odpowiedź",
        choose="Najpierw wybierz odpowiedź.",
        optional="opcjonalnie",
        too_long="Komentarz jest za długi. Skróć go do {most} znaków.",
        stands="Tutaj nie można już zmienić odpowiedzi. Obowiązuje: {answer}",
    ),
    "ru": SurveyWords(
        title="Ваше мнение",
        send="Отправить",
        change="Изменить ответ",
        choose="Сначала выберите ответ.",
        optional="необязательно",
        too_long="Комментарий слишком длинный. Сократите его до {most} символов.",
        stands="Здесь ответ больше нельзя изменить. Учитывается: {answer}",
    ),
    "zh": SurveyWords(
        title="您的意见",
        send="提交",
        change="修改我的回答",
        choose="请先选择一个答案。",
        optional="选填",
        too_long="您的留言过长，请缩短至 {most} 字以内。",
        stands="此处已无法再修改您的回答。最终回答为：{answer}",
    ),
}
