"""What a marketer does: start, check, look, and load codes."""

import json
import shutil
import tomllib
import webbrowser
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import insert
from starting import english_starter
from typed import Done, Run

from automation.cli.schemas import schemas
from automation.database.engine import connect
from automation.database.schema import customers, events, shard_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter, and the folder one works in."""
    english_starter(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def problems(done: Done) -> list[tuple[str, int, int, str]]:
    return [(one["file"], one["line"], one["column"], one["message"]) for one in done.json["problems"]]


def warnings(done: Done) -> list[str]:
    assert {one["severity"] for one in done.json["problems"]} <= {"warning"}
    assert done.code == 0
    assert done.json["ok"] is True
    return [str(one["message"]) for one in done.json["problems"]]


def test_a_new_shop_starts_from_files_that_are_in_order(tmp_path: Path, run: Run) -> None:
    made = run("init", str(tmp_path / "new"), "--json")
    assert {"config.toml", "playbooks/win_back.toml", "templates/_layouts/default.mjml"} <= set(made.json["created"])
    assert all((tmp_path / "new" / name).is_file() for name in made.json["created"])
    checked = run("check", "--config", str(tmp_path / "new/config.toml"), "--json")
    assert checked == (0, '{"ok": true, "problems": []}\n', "")


def test_init_overwrites_nothing_and_says_what_is_there(tmp_path: Path, run: Run) -> None:
    (tmp_path / "config.toml").write_text("mine", encoding="utf-8")
    done = run("init", str(tmp_path))
    assert done.code == 2
    assert "config.toml" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == "mine"


def test_check_counts_the_files_and_says_all_is_well(shop: Path, run: Run) -> None:
    files = [path for path in shop.rglob("*.*") if path.suffix in {".toml", ".md", ".txt", ".mjml"}]
    read = [path for path in files if path.name != "README.md"]
    assert run("check").out == f"{len(read)} files, no problems\n"


def test_check_without_a_configuration_says_how_to_get_one(tmp_path: Path, run: Run) -> None:
    done = run("check", "--config", str(tmp_path / "config.toml"))
    assert done.code == 2
    assert "automation init" in done.err


def test_mistakes_of_all_kinds_of_files_are_told_in_one_run(shop: Path, run: Run) -> None:
    change(shop / "config.toml", "max_per_day", "max_per_dya")
    change(shop / "playbooks/facts.toml", 'latest = "nps"', 'latset = "nps"')
    change(shop / "playbooks/lifecycles/standard.toml", "orders >= 4", "odrers >= 4")
    change(shop / "playbooks/win_back.toml", '"leaving", "aware"', '"lapsd", "aware"')
    change(shop / "playbooks/trial_offer.toml", '"trial_offer/reminder"', '"trial_offer/remnder"')
    change(shop / "templates/season_thanks/gift.en.md", "subject", "subjct")
    change(shop / "templates/loyalty_reward/last_days.en.txt", "offer.code", "offer.cdoe")
    done = run("check", "--json")
    assert done.code == 2
    assert done.json["ok"] is False
    assert [(file, message) for file, _, _, message in problems(done)] == [
        ("config.toml", 'unknown key "max_per_dya"'),
        ("playbooks/facts.toml", 'unknown key "latset"'),
        ("playbooks/lifecycles/standard.toml", 'there is no fact "odrers"'),
        ("playbooks/trial_offer.toml", 'there is no sms template "trial_offer/remnder"'),
        ("playbooks/win_back.toml", 'no stage or role "lapsd"'),
        ("templates/loyalty_reward/last_days.en.txt", 'unknown name "offer.cdoe"'),
        ("templates/season_thanks/gift.en.md", 'unknown key "subjct"'),
    ]
    assert all(one["line"] and one["column"] and one["hint"] for one in done.json["problems"])


def test_people_read_place_message_and_an_indented_hint(shop: Path, run: Run) -> None:
    change(shop / "playbooks/win_back.toml", 'channel = "email"', 'channel = "emial"')
    line, hint, summary = run("check").out.splitlines()
    number = line_of(shop / "playbooks/win_back.toml", "emial")
    assert line == f'playbooks/win_back.toml:{number}:11: "emial" is not possible here'
    assert hint == '    did you mean "email"?'
    assert summary.endswith(" files, 1 problem")


def test_a_template_without_the_business_locale_is_told_where_it_is_named(shop: Path, run: Run) -> None:
    (shop / "templates/win_back/reminder.en.txt").rename(shop / "templates/win_back/reminder.pl.txt")
    named = line_of(shop / "playbooks/win_back.toml", '"win_back/reminder"')
    told = [one for one in run("check", "--json").json["problems"] if one["severity"] == "error"]
    assert [(one["file"], one["line"], one["column"]) for one in told] == [("playbooks/win_back.toml", named, 12)]
    assert 'no template file for locale "en"' in told[0]["message"]


def test_a_business_locale_nobody_wrote_in_is_told_once(shop: Path, run: Run) -> None:
    change(shop / "config.toml", 'locale = "en"', 'locale = "pl"')
    assert problems(run("check", "--json")) == [("config.toml", 11, 10, 'no template is written in "pl"')]


def test_a_message_that_lacks_a_locale_of_its_playbook_is_a_warning(shop: Path, run: Run) -> None:
    folder = shop / "templates/win_back"
    for name in ("we_miss_you.{}.md", "reminder.{}.txt"):
        shutil.copy(folder / name.format("en"), folder / name.format("pl"))
    message = 'there is no "pl" file of this template, as other messages of this playbook have'
    assert warnings(run("check", "--json")) == [message]


def test_a_language_of_the_business_that_a_template_lacks_is_a_mistake(shop: Path, run: Run) -> None:
    change(shop / "config.toml", "locales = []", 'locales = ["en", "de"]')
    folder = shop / "templates/win_back"
    for path in list((shop / "templates").glob("*/*.en.*")):
        shutil.copy(path, path.with_name(path.name.replace(".en.", ".de.")))
    (folder / "reminder.de.txt").unlink()
    number = line_of(shop / "playbooks/win_back.toml", '"win_back/reminder"')
    message = 'there is no "de" file of this template, which [business] locales asks for'
    assert problems(run("check", "--json")) == [("playbooks/win_back.toml", number, 12, message)]


def test_a_missing_folder_of_templates_is_told_once(shop: Path, run: Run) -> None:
    shutil.rmtree(shop / "templates")
    ((file, line, column, message),) = problems(run("check", "--json"))
    assert (file, column, message) == ("config.toml", 13, "there is no folder templates")
    assert (shop / "config.toml").read_text(encoding="utf-8").splitlines()[line - 1].startswith("templates =")


def test_a_file_that_no_step_uses_is_a_warning(shop: Path, run: Run) -> None:
    (shop / "templates/win_back/we_mis_you.en.md").write_text("+++\n+++\n", encoding="utf-8")
    (problem,) = run("check", "--json").json["problems"]
    assert problem["file"] == "templates/win_back/we_mis_you.en.md"
    assert (problem["severity"], problem["hint"]) == ("warning", 'did you mean "win_back/we_miss_you"?')


def test_a_template_file_without_its_locale_is_told_what_it_lacks(shop: Path, run: Run) -> None:
    (shop / "templates/win_back/reminder.en.txt").rename(shop / "templates/win_back/reminder.txt")
    hints = [one["hint"] for one in run("check", "--json").json["problems"] if one["severity"] == "error"]
    assert hints == ["the file's name lacks its locale: win_back/reminder.en.txt"]


def test_a_playbook_nobody_can_enter_under_this_lifecycle_is_a_warning(shop: Path, run: Run) -> None:
    change(shop / "playbooks/lifecycles/standard.toml", 'roles = ["leaving"]', "roles = []")
    change(shop / "playbooks/lifecycles/standard.toml", 'key = "leaving"', 'key = "gone"')
    change(shop / "playbooks/win_back.toml", '"leaving", "aware", "evaluating"', '"leaving"')
    message = 'customers can never enter win_back under "Standard lifecycle": no stage has the role leaving'
    assert warnings(run("check", "--json")) == [message]


def test_lifecycles_that_are_not_in_use_are_checked_too(shop: Path, run: Run) -> None:
    other = shop / "playbooks/lifecycles/other.toml"
    shutil.copy(shop / "playbooks/lifecycles/standard.toml", other)
    change(other, "orders >= 4", "orders => 4")
    assert [file for file, *_ in problems(run("check", "--json"))] == ["playbooks/lifecycles/other.toml"]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("<hello@example.com>", "<hello.example.com>", ('from = "Example Shop <', 8)),
        ('reply_to = ""', 'reply_to = "help"', ("reply_to", 12)),
        ('from = "+15550100"', 'from = "+1555x"', ('from = "+1555', 8)),
        ('from = "+15550100"', 'from = "Example Shop Ltd"', ('from = "Example Shop Ltd"', 8)),
        ('providers = ["sandbox_sms"]', 'providers = ["sandbox_email"]', ('providers = ["sandbox_email"]', 14)),
        ('url = "sqlite:///automation.db"', 'url = "mysql://shop"', ("url =", 7)),
        ('kind = "twilio"', 'kind = "twilio"\naccount = "AC1"', ("[providers.sandbox_sms]", 2)),
        (
            'base_url = "http://127.0.0.1:8025"       # `automation sandbox`; remove it to reach the real provider\n',
            "",
            ("[providers.sandbox_email]", 2),
        ),
    ],
)
def test_what_could_not_send_is_told_in_the_configuration(
    shop: Path, run: Run, old: str, new: str, place: tuple[str, int]
) -> None:
    change(shop / "config.toml", old, new)
    lines = (shop / "config.toml").read_text(encoding="utf-8").splitlines()
    ((file, line, column, message),) = problems(run("check", "--json"))
    assert file == "config.toml"
    assert message
    assert lines[line - 1].startswith(place[0])
    assert column == place[1]


def test_a_pool_without_codes_is_a_warning_until_they_are_loaded(shop: Path, run: Run) -> None:
    change(shop / "playbooks/season_thanks.toml", "active = false", "active = true")
    assert warnings(run("check", "--json")) == []  # no database, so nothing is known of codes
    assert not (shop / "automation.db").exists()
    (shop / "codes.csv").write_text("code\nA-1\n\nB-2\nA-1\n", encoding="utf-8")
    loaded = run("offers", "load", "summer", "codes.csv", "--json").json
    assert loaded == {"pool": "summer", "read": 2, "created": 2, "duplicates": 0}
    assert warnings(run("check", "--json")) == ['no codes are loaded for "season_gift"']
    run("offers", "load", "season_gift", "codes.csv")
    assert warnings(run("check", "--json")) == []
    assert run("offers", "load", "summer", "codes.csv", "--json").json["duplicates"] == 2
    assert run("offers", "list", "--json").json == {
        "pools": [{"pool": "season_gift", "codes": 2, "free": 2}, {"pool": "summer", "codes": 2, "free": 2}]
    }


def test_a_line_that_is_no_code_is_told_by_its_number_only(shop: Path, run: Run) -> None:
    (shop / "codes.csv").write_text("GOOD-1\nSECRET,2\n", encoding="utf-8")
    done = run("offers", "load", "summer", "codes.csv")
    assert done.code == 2
    assert "codes.csv:2:1: this is no code" in done.err
    assert "SECRET" not in done.err


def test_attributes_are_checked_against_customers_where_there_are_some(
    shop: Path, migrated_sqlite: Path, run: Run
) -> None:
    shutil.copy(migrated_sqlite, shop / "automation.db")
    path = shop / "templates/win_back/reminder.en.txt"
    path.write_text('{{ customer.cty | default("-") }} {{ offer.code }}', encoding="utf-8")
    assert warnings(run("check", "--json")) == []
    add_customer(shop)
    assert warnings(run("check", "--json")) == ['no customer has the attribute "cty" yet']


def add_customer(shop: Path, **changes: Any) -> None:
    row = {
        "shard": shard_of("c1"),
        "customer_id": "c1",
        "locale": "en",
        "attributes": {"first_name": "Zofia", "city": "Lodz"},
    }
    ordered = {"shard": row["shard"], "customer_id": "c1", "event_id": "e1", "name": "Order Completed"}
    database = connect("sqlite:///automation.db", shop)
    with database.writing() as connection:
        connection.execute(insert(customers), [row | changes])
        at = datetime(2026, 1, 5, 12, tzinfo=UTC)
        connection.execute(insert(events), [{**ordered, "time": at, "properties": {"revenue": 40}}])
    database.close()


def test_a_preview_shows_a_sample_customer_with_everything(shop: Path, run: Run) -> None:
    seen = run("preview", "win_back", "we_miss_you", "--json").json
    assert list(seen) == ["channel", "subject", "html", "text", "segments"]
    assert (seen["channel"], seen["segments"]) == ("email", None)
    assert "Katarzyna" in seen["subject"]
    assert "<html" in seen["html"]
    assert "BACK-" in seen["text"]
    assert "BACK-########" not in seen["text"]
    assert "utm_campaign=win_back" in seen["text"]
    assert not (shop / "automation.db").exists()


def test_a_preview_shows_a_customer_of_the_shop_and_stores_nothing(shop: Path, migrated_sqlite: Path, run: Run) -> None:
    shutil.copy(migrated_sqlite, shop / "automation.db")
    add_customer(shop)
    path = shop / "templates/win_back/we_miss_you.en.md"
    header = path.read_text(encoding="utf-8").split("+++")[1]
    body = "{{ customer.first_name }}: {{ facts.orders }}, {{ facts.last_order | date }}, {{ stage }}, {{ facts.role }}"
    path.write_text(f"+++{header}+++\n{body}\n", encoding="utf-8")
    seen = run("preview", "win_back", "we_miss_you", "--customer", "c1", "--json").json
    assert "Zofia: 1, January 5, 2026, leaving, leaving" in seen["text"]


def test_an_sms_is_previewed_with_its_encoding_and_segments(shop: Path, run: Run) -> None:
    seen = run("preview", "win_back", "reminder", "--json").json
    assert (seen["channel"], seen["subject"], seen["html"], seen["segments"]) == ("sms", None, None, 1)
    assert "1 segment, GSM-7, " in run("preview", "win_back", "reminder").out
    (shop / "templates/win_back/reminder.en.txt").write_text("“" * 80, encoding="utf-8")
    assert "2 segments, UCS-2, 80 units" in run("preview", "win_back", "reminder").out


def test_a_variant_and_a_locale_can_be_chosen(shop: Path, run: Run) -> None:
    (shop / "templates/win_back/reminder_no_code.pl.txt").write_text("Cześć", encoding="utf-8")
    chosen = run("preview", "win_back", "reminder", "--variant", "no_code", "--locale", "pl-PL", "--json").json
    assert chosen["text"] == "Cześć"
    assert "Code BACK-" not in run("preview", "win_back", "reminder", "--variant", "no_code").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["win_bak", "reminder"], 'there is no playbook "win_bak"; did you mean "win_back"?'),
        (["win_back", "remnder"], 'win_back has no step "remnder"; did you mean "reminder"?'),
        (["win_back", "reminder", "--variant", "no_cod"], 'did you mean "no_code"?'),
        (["win_back", "we_miss_you", "--variant", "x"], "it has none"),
        (["win_back", "reminder", "--customer", "c9"], 'no customer has the id "c9"'),
        (["win_back", "reminder", "--open"], "an SMS has no page to open"),
    ],
)
def test_a_preview_of_what_is_not_there_says_what_is(shop: Path, run: Run, words: list[str], message: str) -> None:
    assert shop.is_dir()
    done = run("preview", *words)
    assert done.code == 2
    assert message in done.err


def test_a_mistake_in_another_playbook_does_not_keep_from_a_preview(shop: Path, run: Run) -> None:
    change(shop / "playbooks/trial_offer.toml", "stages", "stage")
    assert run("preview", "win_back", "reminder").code == 0
    done = run("preview", "trial_offer", "reminder")
    assert done.code == 2
    assert 'playbooks/trial_offer.toml:4:1: unknown key "stage"' in done.err


def test_open_shows_the_email_in_the_browser(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(shop))
    done = run("preview", "win_back", "we_miss_you", "--open", "--json")
    (page,) = shop.glob("preview-*.html")
    assert opened == [page.as_uri()]
    assert str(page) in done.err
    assert page.read_text(encoding="utf-8") == done.json["html"]


def plain(value: Any) -> Any:
    """TOML's dates as the text that editors see."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def complaints(name: str, text: str) -> list[str]:
    validator = Draft202012Validator(schemas()[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(plain(tomllib.loads(text)))]


FILES = {
    "config": "config.toml",
    "facts": "playbooks/facts.toml",
    "lifecycle": "playbooks/lifecycles/*.toml",
    "playbook": "playbooks/*.toml",
    "survey": "playbooks/surveys/*.toml",
}


@pytest.mark.parametrize("name", FILES)
def test_the_shipped_files_follow_their_schemas(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])
    paths = [path for path in ROOT.glob(FILES[name]) if name != "playbook" or path.name != "facts.toml"]
    assert paths
    for path in paths:
        assert complaints(name, path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config", "[emial]"),
        ("config", '[schedule]\nevaluate_at = "6"'),
        ("config", '[schedule]\ndispatch_every = "15 s"'),
        ("config", 'secret_key = "x"'),
        ("config", 'root = "x"'),
        ("config", '[providers.a]\nkind = "postmark"\ntoken = "x"'),
        ("facts", '[Orders]\nevent = "x"'),
        ("facts", '[orders]\nevnt = "x"'),
        ("lifecycle", 'name = "x"\n[[stages]]\nkey = "a"\nname = { en = "A" }\nroles = ["fan"]'),
        ("survey", 'name = "x"\nproperty = "Nps"'),
        ("playbook", 'name = "x"\nfamily = "win_back"\nstages = ["leaving"]\nsteps = []'),
    ],
)
def test_an_editor_underlines_what_would_be_refused(name: str, text: str) -> None:
    assert complaints(name, text)


def test_schemas_are_printed_as_one_object_or_written_as_files(tmp_path: Path, run: Run) -> None:
    printed = run("schema", "--json").json
    assert list(printed) == ["config", "facts", "lifecycle", "playbook", "survey"]
    assert run("schema", "--out", str(tmp_path / "schemas")).code == 0
    for name, schema in printed.items():
        assert json.loads((tmp_path / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")) == schema
