"""config.toml and the environment: every mistake at once, each where it was made."""

from pathlib import Path

import pytest

from automation.errors import BadFiles, Problem
from automation.settings import PREFIX, Settings, load, read

ROOT = Path(__file__).parents[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def problems_of(config: Path, text: str) -> list[Problem]:
    config.write_text(text, encoding="utf-8")
    with pytest.raises(BadFiles) as bad:
        load(config)
    return bad.value.problems


def test_the_shipped_file_says_what_the_defaults_are_but_for_the_languages_of_its_templates() -> None:
    shipped, defaults = load(ROOT / "config.toml").model_dump(), Settings().model_dump()
    assert shipped["business"].pop("locales") == ("en", "it", "pl", "ru", "zh")
    assert defaults["business"].pop("locales") == ()
    assert shipped == defaults


def test_the_environment_overrides_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("[email]\nmax_per_day = 1\nmax_per_week = 5", encoding="utf-8")
    monkeypatch.setenv("AUTOMATION_EMAIL__MAX_PER_DAY", "2")
    settings = load(config)
    assert (settings.email.max_per_day, settings.email.max_per_week) == (2, 5)


def test_unknown_keys_are_told_with_the_nearest(config: Path) -> None:
    problems = problems_of(config, '[busines]\nname = "x"\n[email]\nmax_per_dya = 1\n')
    assert [(one.line, one.column, one.hint) for one in problems] == [
        (1, 2, 'did you mean "business"?'),
        (4, 1, 'did you mean "max_per_day"?'),
    ]


@pytest.mark.parametrize("key", ["root", "_env_file", "zzzz"])
def test_what_is_no_setting_cannot_be_set_and_is_not_suggested(config: Path, key: str) -> None:
    (problem,) = problems_of(config, f'{key} = "x"')
    assert problem.message == f'unknown key "{key}"'
    assert (
        problem.hint
        == "known: alerts, business, database, email, holdout, paths, providers, reports, schedule, serve, sms, topics"
    )


def test_a_secret_in_the_file_is_refused_and_not_repeated(config: Path) -> None:
    problems = problems_of(config, '[providers.sandbox_email]\nkind = "postmark"\ntoken = "s3cret"\n')
    problems = [one for one in problems if one.line == 3]
    assert "AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TOKEN" in problems[0].hint
    assert "s3cret" not in "".join(map(str, problems))


def test_a_secret_is_read_from_the_file_that_a_variable_names(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    config.write_text("", encoding="utf-8")
    monkeypatch.setenv("AUTOMATION_SECRET_KEY_FILE", str(tmp_path / "secret"))
    settings = load(config)
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


KNOWN = (
    "known: alerts, business, database, email, holdout, paths, previous_secret_key, providers, reports, schedule,"
    " secret_key, serve, sms, topics"
)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("EMAL__MAX_PER_DAY", "did you mean AUTOMATION_EMAIL__MAX_PER_DAY?"),
        ("EMAIL__MAX_PER_DYA", "did you mean AUTOMATION_EMAIL__MAX_PER_DAY?"),
        ("EMIAL__MAX_PER_DYA", "did you mean AUTOMATION_EMAIL__MAX_PER_DAY?"),
        ("PROVIDERS__SANDBOX_EMIAL__TOKEN", "did you mean AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TOKEN?"),
        ("PROVIDERS__SANDBOX_EMAIL__TOKN", "did you mean AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TOKEN?"),
        ("ROOT", KNOWN),
    ],
)
def test_a_misspelt_variable_is_told_whole(config: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str) -> None:
    monkeypatch.setenv(PREFIX + name, "1")
    (problem,) = problems_of(config, (ROOT / "config.toml").read_text(encoding="utf-8"))
    assert str(problem) == f"environment: unknown variable {PREFIX}{name}\n    {hint}"


def test_a_wrong_variable_is_not_told_of_the_line_it_overrides(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION_EMAIL__MAX_PER_DAY", "two")
    for text in ("[email]\nmax_per_day = 1", ""):
        (problem,) = problems_of(config, text)
        assert str(problem) == "environment: AUTOMATION_EMAIL__MAX_PER_DAY: this must be a whole number"


def test_a_provider_that_is_not_there_or_sends_something_else_is_told_where_it_is_named(config: Path) -> None:
    text = '[email]\nproviders = ["sandbox_emial"]\n[sms]\nproviders = ["sandbox_sms", "sandbox_email"]\n'
    problems = problems_of(config, text)
    assert [(one.line, one.column, one.message) for one in problems] == [
        (2, 14, "there is no [providers.sandbox_emial]"),
        (4, 29, "postmark sends email, not sms"),
    ]


def test_everything_wrong_is_told_at_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION_SECRET_KEY_FILE", str(config.parent / "none"))
    text = '[business]\ntimezone = "Rome"\n[schedule]\nevaluate_at = "6"\n[providers.p]\nkind = "postmrk"\n'
    problems = problems_of(config, text)
    assert [one.line for one in problems if one.file == str(config)] == [2, 4, 6]
    assert 'no time zone "Rome"; did you mean "Europe/Rome"?' in problems[0].message
    assert [one.message for one in problems if one.file.endswith("none")] == ["a secret's file cannot be read"]


def test_sections_in_order_are_there_in_spite_of_mistakes_elsewhere(config: Path) -> None:
    config.write_text('[paths]\ntemplates = "copy"\n[email]\nmax_per_day = "x"\n', encoding="utf-8")
    settings, problems = read(config)
    assert settings.path(settings.paths.templates) == config.parent / "copy"
    assert settings.email.max_per_day == 1
    assert len(problems) == 1


def test_a_provider_elsewhere_is_told_no_address_of_this_machine(config: Path) -> None:
    config.write_text('[business]\npublic_url = "https://shop.example/"\n', encoding="utf-8")
    assert load(config).callback_url("sandbox_sms") == "https://shop.example/hooks/sandbox_sms"
    sections = '[providers.sandbox_email]\nkind = "postmark"\n[providers.sandbox_sms]\nkind = "telnyx"\n'
    config.write_text(sections, encoding="utf-8")
    assert load(config).callback_url("sandbox_sms") is None
