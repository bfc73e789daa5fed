"""Everything that is wrong in the files a marketer writes, told in one go."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from itertools import islice
from pathlib import Path

import phonenumbers
from sqlalchemy import make_url, select

from automation.cli.survey_check import check_surveys, known_surveys
from automation.customers.profile import email_address
from automation.database.engine import Database, open_database
from automation.database.schema import customers
from automation.database.upgrade import newest, revision
from automation.delivery.offers import pool_sizes
from automation.delivery.providers import account_of
from automation.errors import BadFiles, BadInput, BadMessage, DatabaseUnreachable, Problem, suggest
from automation.messages.check import check_files
from automation.messages.sources import KINDS, LAYOUTS, choose_locale, find
from automation.playbooks.lifecycles import lifecycle_files, read_lifecycle
from automation.playbooks.load import Draft, playbook_files, read_draft
from automation.playbooks.model import Playbook
from automation.playbooks.survey_files import read_surveys, survey_files
from automation.settings import CHANNELS, Settings, read
from automation.tomlfile import KeyPath, TomlFile, read_toml

SAMPLE = 5_000
SHORT_CODE = range(3, 9)  # digits of a number that only takes and sends SMS
SENDER_NAME = range(1, 12)  # GSM 03.40: an alphanumeric sender has at most eleven characters


@dataclass
class Checked:
    """The problems in order of place, and how many files were looked at."""

    files: int
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        return all(problem.severity == "warning" for problem in self.problems)


@dataclass
class Stored:
    """What the database knows that files are checked against. None: there is no database to ask."""

    pools: dict[str, dict[str, int]] | None = None
    attributes: set[str] | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Around:
    """What templates are held against besides the facts. `told`: that the business's locale is missing everywhere has
    been told already.
    """

    attributes: set[str] | None
    surveys: Mapping[str, Collection[str]]
    told: bool


def check_everything(config: Path) -> Checked:
    """Every file, every template for sample customers, as far as mistakes elsewhere allow."""
    settings, problems = read(config)
    config_file = _toml(config) or TomlFile(config.name, "", {}, {}, {})
    if not problems:
        problems = [*_wrong_senders(settings, config_file), *_wrong_accounts(settings, config_file)]
    draft = read_draft(settings)
    stored = _stored(settings, config_file)
    problems += [*draft.problems, *stored.problems, *_other_lifecycles(settings, draft)]
    for key, playbook in draft.playbooks.items():
        problems += [*_idle(playbook, draft), *_empty_pool(playbook, draft.files[key], stored)]
    surveys, of_surveys = read_surveys(settings)
    uses = {(name, channel) for playbook in draft.playbooks.values() for _, name, channel in _uses(playbook)}
    problems += [*of_surveys, *check_surveys(settings, surveys, draft.facts, sorted(uses))]
    problems += _of_templates(settings, draft, stored, config_file)
    files = [config, *_toml_files(settings), *template_files(settings)]
    return Checked(len(files), sorted({_from_root(problem, settings) for problem in problems}))


def _of_templates(settings: Settings, draft: Draft, stored: Stored, config: TomlFile) -> Iterator[Problem]:
    if not settings.path(settings.paths.templates).is_dir():
        yield config.problem(("paths", "templates"), f"there is no folder {settings.paths.templates}")
        return
    unwritten = _unwritten(settings, draft)
    if unwritten:
        message = f'no template is written in "{settings.business.locale}"'
        yield config.problem(("business", "locale"), message, suggest(settings.business.locale, unwritten))
    around = Around(stored.attributes, known_surveys(settings), told=bool(unwritten))
    for key, playbook in draft.playbooks.items():
        file = draft.files[key]
        yield from _locales(playbook, file, settings)
        yield from _templates(playbook, file, settings, draft, around)
    # A playbook that could not be read may use any template.
    if len(draft.playbooks) == len(_playbook_files(settings)):
        yield from _unused(settings, draft)


def _toml(path: Path) -> TomlFile | None:
    try:
        return read_toml(path)
    except BadFiles:
        return None


def _playbook_files(settings: Settings) -> list[Path]:
    try:
        return playbook_files(settings)
    except BadFiles:
        return []


def _toml_files(settings: Settings) -> list[Path]:
    return [
        settings.path(settings.paths.facts),
        *lifecycle_files(settings),
        *_playbook_files(settings),
        *survey_files(settings),
    ]


def template_files(settings: Settings) -> list[Path]:
    """Every file below templates/ that may hold copy, layouts included."""
    root = settings.path(settings.paths.templates)
    kinds = {f".{kind}" for ending in KINDS.values() for kind in ending}
    found = (path for path in root.rglob("*") if path.suffix in kinds and path.parent != root)
    return sorted(path for path in found if not path.name.startswith("."))


def _from_root(problem: Problem, settings: Settings) -> Problem:
    """Named from the folder of config.toml, as the playbooks are."""
    path = Path(problem.file)
    return (
        replace(problem, file=path.relative_to(settings.root).as_posix())
        if path.is_relative_to(settings.root)
        else problem
    )


def _wrong_senders(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    hint = 'write it like "Example Shop <hello@example.com>"'
    if not _is_mailbox(settings.email.sender):
        yield file.problem(("email", "from"), "this is no sender's email address", hint)
    if settings.email.reply_to and not _is_mailbox(settings.email.reply_to):
        yield file.problem(("email", "reply_to"), "this is no email address for answers", hint)
    if not _is_sms_sender(settings.sms.sender):
        hint = 'write a number like "+15550100", a short code, or a name of at most 11 letters and digits'
        yield file.problem(("sms", "from"), "this is no sender of an SMS", hint)


def _is_mailbox(text: str) -> bool:
    try:
        email_address(parseaddr(text)[1])
    except ValueError:
        return False
    return True


def _is_sms_sender(sender: str) -> bool:
    if sender.startswith("+"):
        try:
            return phonenumbers.is_possible_number(phonenumbers.parse(sender)) and sender[1:].isdigit()
        except phonenumbers.NumberParseException:
            return False
    if sender.isdigit():
        return len(sender) in SHORT_CODE
    return sender.isascii() and sender.replace(" ", "").isalnum() and len(sender) in SENDER_NAME


def _wrong_accounts(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    for name in sorted({name for channel in CHANNELS for name in settings.channel(channel).providers}):
        try:
            account_of(name, settings.providers[name])
        except BadInput as error:
            yield file.problem(("providers", name), str(error), at_key=True)


def _stored(settings: Settings, config: TomlFile) -> Stored:
    """Asked only where it helps, and never made, changed or waited for."""
    try:
        with existing_database(settings) as database:
            if database is None:
                return Stored()
            with database.reading() as connection:
                if revision(connection) != newest():
                    return Stored()
                sample = connection.execute(select(customers.c.attributes).limit(SAMPLE)).scalars()
                names = {name for attributes in sample for name in attributes}
                return Stored(pool_sizes(connection), names or None)
    except DatabaseUnreachable:
        hint = "offer codes and customers' attributes were not looked at; see [database] url"
        unreachable = config.problem(("database", "url"), "the database cannot be reached", hint)
        return Stored(problems=[replace(unreachable, severity="warning")])
    except BadInput as error:
        return Stored(problems=[config.problem(("database", "url"), str(error))])


@contextmanager
def existing_database(settings: Settings) -> Iterator[Database | None]:
    """The database if there is one. Raises as `open_database` does."""
    address = settings.database.url
    if address.startswith("sqlite:///") and not (settings.root / (make_url(address).database or "")).is_file():
        yield None
        return
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


def _other_lifecycles(settings: Settings, draft: Draft) -> Iterator[Problem]:
    """Those that are not in use are checked too: one of them may be tomorrow's."""
    in_use = settings.path(settings.paths.lifecycle)
    for path in lifecycle_files(settings):
        if path != in_use:
            yield from read_lifecycle(settings, path, draft.facts)[1]


def _idle(playbook: Playbook, draft: Draft) -> Iterator[Problem]:
    if draft.lifecycle is not None and playbook.is_idle:
        roles = playbook.model.stages
        lacking = f"the role {roles[0]}" if len(roles) == 1 else f"any of the roles {', '.join(roles)}"
        message = f'customers can never enter {playbook.key} under "{draft.lifecycle.name}": no stage has {lacking}'
        problem = draft.files[playbook.key].problem(("stages",), message, "see [paths] lifecycle in config.toml")
        yield _warning(problem)


def _empty_pool(playbook: Playbook, file: TomlFile, stored: Stored) -> Iterator[Problem]:
    pool = playbook.model.offer.pool if playbook.model.offer else None
    if pool is None or stored.pools is None or not playbook.model.active:
        return
    size = stored.pools.get(pool, {"codes": 0, "free": 0})
    if size["free"] == 0:
        message = f'no codes are loaded for "{pool}"' if size["codes"] == 0 else f'all codes of "{pool}" are given away'
        yield _warning(file.problem(("offer", "pool"), message, f"automation offers load {pool} FILE"))


def _warning(problem: Problem) -> Problem:
    return replace(problem, severity="warning")


def _uses(playbook: Playbook) -> Iterator[tuple[KeyPath, str, str]]:
    """Where each template is named, its name and its channel."""
    for step in playbook.steps:
        path: KeyPath = ("steps", step.index)
        yield (*path, "template"), step.model.template, step.model.channel
        for index, variant in enumerate(step.model.variants):
            yield (*path, "variants", index, "template"), variant.template, step.model.channel


def _locales(playbook: Playbook, file: TomlFile, settings: Settings) -> Iterator[Problem]:
    """A customer who reads the first message in Polish expects the second in Polish."""
    root = settings.path(settings.paths.templates)
    written = {path: _locales_of(root, name, channel) for path, name, channel in _uses(playbook)}
    needed = set(settings.business.locales)
    for locale in sorted(needed.union(*written.values())):
        why = "which [business] locales asks for" if locale in needed else "as other messages of this playbook have"
        for path, own in written.items():
            if own and not _serves(locale, own):
                hint = f'customers with "{locale}" would get it in "{settings.business.locale}"'
                hint += "; write it, or take the language out of that list" if locale in needed else ""
                problem = file.problem(path, f'there is no "{locale}" file of this template, {why}', hint)
                yield problem if locale in needed else _warning(problem)


def _locales_of(root: Path, name: str, channel: str) -> Collection[str]:
    try:
        return find(root, name, channel).keys()
    except BadFiles:
        return ()


def _serves(locale: str, available: Iterable[str]) -> bool:
    try:
        choose_locale(locale, available, locale)
    except BadMessage:
        return False
    return True


def _unwritten(settings: Settings, draft: Draft) -> set[str]:
    """The locales there are when the business's own is not among them."""
    root = settings.path(settings.paths.templates)
    uses = {(name, channel) for playbook in draft.playbooks.values() for _, name, channel in _uses(playbook)}
    written = {locale for name, channel in uses for locale in _locales_of(root, name, channel)}
    return set() if _serves(settings.business.locale, written) else written


def _templates(
    playbook: Playbook, file: TomlFile, settings: Settings, draft: Draft, around: Around
) -> Iterator[Problem]:
    root = settings.path(settings.paths.templates)
    default = settings.business.locale
    types = draft.facts.types if draft.facts else {}
    defined = {fact.attribute for fact in draft.facts.facts if fact.attribute} if draft.facts else set()
    for path, name, channel in _uses(playbook):
        problems = check_files(
            root,
            name,
            channel,
            default_locale=next(iter(_locales_of(root, name, channel)), default) if around.told else default,
            known_facts=types,
            known_attributes=None if around.attributes is None else around.attributes | defined,
            known_surveys=around.surveys,
            has_offer=playbook.model.offer is not None,
        )
        for problem in problems:
            # What concerns no file of the template is told where the playbook names it.
            named = problem.line == 0 and problem.file in {str(root), str(root / name)}
            yield file.problem(path, problem.message, problem.hint) if named else problem


def _unused(settings: Settings, draft: Draft) -> Iterator[Problem]:
    root = settings.path(settings.paths.templates)
    used = {(name, channel) for one in draft.playbooks.values() for _, name, channel in _uses(one)}
    names = sorted(name for name, _ in used)
    for path in template_files(settings):
        name = path.relative_to(root).as_posix().split(".")[0]
        channel = "sms" if path.suffix == ".txt" else "email"
        if path.parent != root / LAYOUTS and (name, channel) not in used:
            hint = "" if name in names else suggest(name, islice(names, 200))
            yield Problem(str(path), 0, 0, f"no step uses this {channel} template", hint, "warning")
