"""All that customers read on our pages, in the languages of the layout that their mails come in."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """`{name}` is the business. What the first six say is on the page for unsubscribing."""

    title: str
    email: str
    sms: str
    button: str
    done: str
    choose: str
    preferences: str
    intro: str
    by_email: str
    by_sms: str
    all_email: str
    all_sms: str
    stops: str
    covers: str
    save: str
    saved: str
    returned: str
    complained: str
    stopped: str
    stopped_by_text: str
    nowhere: str
    service: str
    unknown: str
    later: str
    topics: Mapping[str, str]


WORDS: Mapping[str, Words] = {
    "de": Words(
        title="Abmelden",
        email="Keine Angebote von {name} mehr per E-Mail?",
        sms="Keine Angebote von {name} mehr per SMS?",
        button="Abmelden",
        done="Du bist abgemeldet. Angebote bekommst du auf diesem Weg nicht mehr.",
        choose="Lieber auswählen, was du bekommst",
        preferences="Was wir dir schicken",
        intro="Wähle aus, was du von {name} bekommen möchtest.",
        by_email="E-Mail",
        by_sms="SMS",
        all_email="Schreibt mir per E-Mail",
        all_sms="Schreibt mir per SMS",
        stops="Ohne Häkchen bestellst du alles davon ab.",
        covers="Setze nur dieses Häkchen für alle Themen, auch für künftige.",
        save="Speichern",
        saved="Gespeichert. Das gilt ab sofort.",
        returned="Dorthin schicken wir zurzeit nichts, weil Nachrichten zurückkamen. Deine Auswahl gilt, sobald wir"
        " eine andere Adresse oder Nummer von dir haben.",
        complained="Dorthin schicken wir nichts mehr: Bei unserem Versanddienst wurde widersprochen oder Spam gemeldet."
        " Deine Auswahl gilt, sobald wir eine andere Adresse oder Nummer von dir haben.",
        stopped="An diese Adresse schicken wir nichts mehr, weil du dich abgemeldet hast. Setze ein Häkchen, wenn du"
        " wieder etwas möchtest.",
        stopped_by_text="Wir schicken dir keine SMS mehr, weil du darum gebeten hast. Antworte auf eine unserer SMS"
        " mit START, und sie kommen wieder.",
        nowhere="Wir haben weder eine E-Mail-Adresse noch eine Handynummer von dir und schicken dir deshalb nichts.",
        service="Was du wissen musst, schicken wir dir trotzdem, zum Beispiel dass eine Testphase endet.",
        unknown="Dieser Link funktioniert nicht. Bitte nimm den Link aus unserer neuesten Nachricht.",
        later="Das hat gerade nicht geklappt. Bitte versuche es in einer Minute noch einmal.",
        topics={
            "offers": "Angebote",
            "service": "Hilfe und Service",
            "surveys": "Kurze Umfragen",
            "tips": "Tipps",
            "news": "Neuigkeiten",
        },
    ),
    "en": Words(
        title="Unsubscribe",
        email="No more offers from {name} by email?",
        sms="No more offers from {name} by text?",
        button="Unsubscribe",
        done="You are unsubscribed. You will get no more offers this way.",
        choose="Choose what you get instead",
        preferences="What we send you",
        intro="Choose what you would like to get from {name}.",
        by_email="Email",
        by_sms="Text messages",
        all_email="Write to me by email",
        all_sms="Text me",
        stops="Untick to stop it all.",
        covers="Tick only this for every topic, also for those to come.",
        save="Save",
        saved="Saved. This counts from now on.",
        returned="We send nothing there at present, because messages came back. Your choice counts as soon as we have"
        " another address or number of yours.",
        complained="We send nothing there any more: our delivery service was told to stop, or a message was reported as"
        " spam. Your choice counts as soon as we have another address or number of yours.",
        stopped="We send nothing there any more, because you unsubscribed. Tick what you would like to get again.",
        stopped_by_text="We send you no texts any more, because you asked us to stop. Answer START to one of our"
        " texts and they come again.",
        nowhere="We have neither an email address nor a mobile number of yours, so we send you nothing.",
        service="We still send you what you need to know, such as that a trial is ending.",
        unknown="This link does not work. Please use the one in our latest message.",
        later="That did not work just now. Please try again in a minute.",
        topics={
            "offers": "Offers",
            "service": "Help and service",
            "surveys": "Short surveys",
            "tips": "Guides and tips",
            "news": "News",
        },
    ),
    "es": Words(
        title="Darse de baja",
        email="¿No quieres recibir más ofertas de {name} por correo electrónico?",
        sms="¿No quieres recibir más ofertas de {name} por SMS?",
        button="Darme de baja",
        done="Te has dado de baja. Ya no recibirás más ofertas por este medio.",
        choose="Prefiero elegir lo que recibo",
        preferences="Lo que te enviamos",
        intro="Elige lo que quieres recibir de {name}.",
        by_email="Correo electrónico",
        by_sms="SMS",
        all_email="Escribidme por correo electrónico",
        all_sms="Escribidme por SMS",
        stops="Desmarca esta casilla para dejar de recibirlo todo.",
        covers="Marca solo esta casilla para recibir todos los temas, también los futuros.",
        save="Guardar",
        saved="Guardado. Tu elección ya está en vigor.",
        returned="Por ahora no enviamos nada ahí porque los mensajes fueron devueltos. Tu elección valdrá en cuanto"
        " tengamos otra dirección u otro número tuyo.",
        complained="Ya no enviamos nada ahí: nuestro servicio de envío recibió una baja o un aviso de spam. Tu elección"
        " valdrá en cuanto tengamos otra dirección u otro número tuyo.",
        stopped="Ya no enviamos nada ahí porque te diste de baja. Marca lo que quieras volver a recibir.",
        stopped_by_text="Ya no te enviamos SMS porque nos lo pediste. Responde START a uno de nuestros SMS para"
        " volver a recibirlos.",
        nowhere="No tenemos ninguna dirección de correo ni número de móvil tuyo, así que no te enviamos nada.",
        service="Aun así te enviaremos lo que necesitas saber, por ejemplo que termina un periodo de prueba.",
        unknown="Este enlace no funciona. Usa el de nuestro mensaje más reciente.",
        later="No ha funcionado. Inténtalo de nuevo dentro de un minuto.",
        topics={
            "offers": "Ofertas",
            "service": "Ayuda y servicio",
            "surveys": "Encuestas breves",
            "tips": "Guías y consejos",
            "news": "Novedades",
        },
    ),
    "fr": Words(
        title="Se désabonner",
        email="Ne plus recevoir d’offres de {name} par e-mail ?",
        sms="Ne plus recevoir d’offres de {name} par SMS ?",
        button="Me désabonner",
        done="Vous êtes désabonné. Vous ne recevrez plus d’offres par ce moyen.",
        choose="Choisir plutôt ce que je reçois",
        preferences="Ce que nous vous envoyons",
        intro="Choisissez ce que vous souhaitez recevoir de {name}.",
        by_email="E-mail",
        by_sms="SMS",
        all_email="Écrivez-moi par e-mail",
        all_sms="Écrivez-moi par SMS",
        stops="Décochez cette case pour tout arrêter d’un coup.",
        covers="Cochez seulement cette case pour tous les sujets, y compris à venir.",
        save="Enregistrer",
        saved="C’est enregistré. Votre choix est déjà pris en compte.",
        returned="Nous n’y envoyons rien pour le moment, car des messages nous sont revenus. Votre choix comptera dès"
        " que nous aurons une autre adresse ou un autre numéro.",
        complained="Nous n’y envoyons plus rien : notre service d’envoi a reçu une opposition ou un signalement de"
        " spam."
        " Votre choix comptera dès que nous aurons une autre adresse ou un autre numéro.",
        stopped="Nous n’y envoyons plus rien, car vous vous êtes désabonné. Cochez ce que vous souhaitez recevoir à"
        " nouveau.",
        stopped_by_text="Nous ne vous envoyons plus de SMS, à votre demande. Répondez START à l’un de nos SMS pour en"
        " recevoir à nouveau.",
        nowhere="Nous n’avons ni adresse e-mail ni numéro de mobile pour vous : nous ne vous envoyons rien.",
        service="Nous vous enverrons toujours l’essentiel, par exemple la fin d’une période d’essai.",
        unknown="Ce lien ne fonctionne pas. Utilisez celui de notre dernier message.",
        later="Cela n’a pas fonctionné. Réessayez dans une minute.",
        topics={
            "offers": "Offres",
            "service": "Aide et service",
            "surveys": "Petites enquêtes",
            "tips": "Guides et conseils",
            "news": "Nouveautés",
        },
    ),
    "it": Words(
        title="Annulla iscrizione",
        email="Non vuoi più ricevere offerte di {name} via e-mail?",
        sms="Non vuoi più ricevere offerte di {name} via SMS?",
        button="Annulla iscrizione",
        done="La tua iscrizione è annullata. Non riceverai più offerte in questo modo.",
        choose="Preferisco scegliere cosa ricevere",
        preferences="Cosa ti inviamo",
        intro="Scegli cosa vuoi ricevere da {name}.",
        by_email="E-mail",
        by_sms="SMS",
        all_email="Scrivetemi via e-mail",
        all_sms="Scrivetemi via SMS",
        stops="Togli la spunta per non ricevere più nulla di tutto questo.",
        covers="Spunta solo questa casella per tutti gli argomenti, anche futuri.",
        save="Salva",
        saved="Salvato. La tua scelta vale da subito.",
        returned="Per ora non inviamo nulla lì, perché i messaggi sono tornati indietro. La tua scelta varrà appena"
        " avremo un altro tuo indirizzo o numero.",
        complained="Lì non inviamo più nulla: il nostro servizio di invio ha ricevuto una disiscrizione o una"
        " segnalazione"
        " di spam. La tua scelta varrà appena avremo un altro tuo indirizzo o numero.",
        stopped="Lì non inviamo più nulla perché hai annullato l’iscrizione. Spunta ciò che vuoi ricevere di nuovo.",
        stopped_by_text="Non ti inviamo più SMS perché ce lo hai chiesto. Rispondi START a uno dei nostri SMS per"
        " riceverli di nuovo.",
        nowhere="Non abbiamo un tuo indirizzo e-mail né un tuo numero di cellulare, quindi non ti inviamo nulla.",
        service="Ti invieremo comunque ciò che devi sapere, per esempio che un periodo di prova sta per finire.",
        unknown="Questo link non funziona. Usa quello nel nostro messaggio più recente.",
        later="Al momento non è stato possibile. Riprova tra un minuto.",
        topics={
            "offers": "Offerte",
            "service": "Aiuto e assistenza",
            "surveys": "Brevi sondaggi",
            "tips": "Guide e consigli",
            "news": "Novità",
        },
    ),
    "pl": Words(
        title="Rezygnacja",
        email="Nie chcesz więcej ofert {name} e-mailem?",
        sms="Nie chcesz więcej ofert {name} SMS-em?",
        button="Zrezygnuj",
        done="Rezygnacja została przyjęta. Nie wyślemy Ci więcej ofert tą drogą.",
        choose="Wolę wybrać, co dostaję",
        preferences="Co Ci wysyłamy",
        intro="Wybierz, co chcesz dostawać od {name}.",
        by_email="E-mail",
        by_sms="SMS",
        all_email="Piszcie do mnie e-mailem",
        all_sms="Piszcie do mnie SMS-em",
        stops="Odznacz, aby zrezygnować ze wszystkiego naraz.",
        covers="Zaznacz tylko to pole, aby dostawać wszystkie tematy, także przyszłe.",
        save="Zapisz",
        saved="Zapisano. Twój wybór już obowiązuje.",
        returned="Na razie nic tam nie wysyłamy, bo wiadomości do nas wracały. Twój wybór zacznie obowiązywać, gdy"
        " będziemy mieć inny Twój adres lub numer.",
        complained="Nic tam już nie wysyłamy: do naszego dostawcy wpłynęła rezygnacja lub zgłoszenie spamu. Twój wybór"
        " zacznie obowiązywać, gdy będziemy mieć inny Twój adres lub numer.",
        stopped="Nic tam już nie wysyłamy, bo wiadomości zostały odwołane. Zaznacz, co chcesz znowu dostawać.",
        stopped_by_text="Nie wysyłamy Ci już SMS-ów zgodnie z Twoją prośbą. Odpowiedz START na jeden z nich, a znów"
        " będą przychodzić.",
        nowhere="Nie mamy Twojego adresu e-mail ani numeru telefonu, więc nic Ci nie wysyłamy.",
        service="Nadal wyślemy Ci to, o czym musisz wiedzieć, na przykład że kończy się okres próbny.",
        unknown="Ten link nie działa. Skorzystaj z linku w naszej najnowszej wiadomości.",
        later="Nie udało się. Spróbuj ponownie za minutę.",
        topics={
            "offers": "Oferty",
            "service": "Pomoc i obsługa",
            "surveys": "Krótkie ankiety",
            "tips": "Poradniki i wskazówki",
            "news": "Nowości",
        },
    ),
    "ru": Words(
        title="Отписаться",
        email="Больше не присылать предложения {name} по электронной почте?",
        sms="Больше не присылать предложения {name} по SMS?",
        button="Отписаться",
        done="Вы отписаны. Предложений этим путём больше не будет.",
        choose="Выбрать, что получать",
        preferences="Что мы вам присылаем",
        intro="Выберите, что вы хотите получать от {name}.",
        by_email="Электронная почта",
        by_sms="SMS",
        all_email="Пишите мне по электронной почте",
        all_sms="Пишите мне по SMS",
        stops="Снимите отметку, чтобы отказаться сразу от всего.",
        covers="Отметьте только это, чтобы получать все темы, в том числе будущие.",
        save="Сохранить",
        saved="Сохранено. Ваш выбор уже действует.",
        returned="Сейчас мы ничего туда не отправляем: сообщения возвращались. Ваш выбор начнёт действовать, когда у"
        " нас будет другой ваш адрес или номер.",
        complained="Мы больше ничего туда не отправляем: в службу доставки поступил отказ или жалоба на спам. Ваш выбор"
        " начнёт действовать, когда у нас будет другой ваш адрес или номер.",
        stopped="Мы больше ничего туда не отправляем, потому что вы отписались. Отметьте, что хотите получать снова.",
        stopped_by_text="Мы больше не присылаем вам SMS по вашей просьбе. Ответьте START на одно из наших SMS, и они"
        " снова будут приходить.",
        nowhere="У нас нет ни вашего адреса электронной почты, ни номера телефона, поэтому мы ничего вам не присылаем.",
        service="Мы по-прежнему сообщим вам важное, например что заканчивается пробный период.",
        unknown="Эта ссылка не работает. Воспользуйтесь ссылкой из нашего последнего сообщения.",
        later="Сейчас не получилось. Попробуйте ещё раз через минуту.",
        topics={
            "offers": "Предложения",
            "service": "Помощь и сервис",
            "surveys": "Короткие опросы",
            "tips": "Руководства и советы",
            "news": "Новости",
        },
    ),
    "zh": Words(
        title="退订",
        email="不再通过电子邮件接收 {name} 的优惠信息？",
        sms="不再通过短信接收 {name} 的优惠信息？",
        button="退订",
        done="您已退订，将不再通过此方式收到优惠信息。",
        choose="改为选择要接收的内容",
        preferences="我们发给您的内容",
        intro="请选择您希望从 {name} 收到的内容。",
        by_email="电子邮件",
        by_sms="短信",
        all_email="通过电子邮件联系我",
        all_sms="通过短信联系我",
        stops="取消勾选即可一次性停止接收全部内容。",
        covers="仅勾选此项，即接收所有主题，包括今后新增的主题。",
        save="保存",
        saved="已保存，立即生效。",
        returned="由于消息被退回，我们目前不向该处发送任何内容。待我们获得您的其他地址或号码后，您的选择即会生效。",
        complained="由于发送服务收到退订或垃圾信息举报，我们不再向该处发送任何内容。待我们获得您的其他地址或号码后，您的选择即会生效。",
        stopped="由于您已退订，我们不再向该处发送任何内容。请勾选您希望重新接收的内容。",
        stopped_by_text="应您的要求，我们不再向您发送短信。回复 START 至我们的任一短信，即可重新接收。",
        nowhere="我们没有您的电子邮件地址或手机号码，因此不会向您发送任何内容。",
        service="您需要知道的事项，例如试用期即将结束，我们仍会通知您。",
        unknown="此链接无效。请使用我们最新消息中的链接。",
        later="操作未成功，请一分钟后重试。",
        topics={
            "offers": "优惠信息",
            "service": "帮助与服务",
            "surveys": "简短问卷",
            "tips": "指南与建议",
            "news": "新品动态",
        },
    ),
}


def words_in(*locales: str | None) -> tuple[str, Words]:
    """The first of these languages that we have, else English; with its code."""
    for locale in locales:
        language = (locale or "").replace("_", "-").partition("-")[0].lower()
        if language in WORDS:
            return language, WORDS[language]
    return "en", WORDS["en"]


def topic_name(topic: str, language: str, words: Words, given: Mapping[str, Mapping[str, str]]) -> str:
    """What the business calls it, in this language if it can be; else its key as words: `shop_news` is Shop news."""
    named = given.get(topic, {})
    return named.get(language) or words.topics.get(topic) or next(iter(named.values()), "") or _as_words(topic)


def _as_words(topic: str) -> str:
    text = topic.replace("_", " ").replace("-", " ").strip() or topic
    return text[:1].upper() + text[1:]
