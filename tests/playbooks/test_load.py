"""Reading the folder of playbooks: what is refused, and where it is told."""

import shutil
from pathlib import Path

import pytest

from automation.errors import BadFiles, Problem
from automation.playbooks.load import read_book, read_draft
from automation.settings import Settings, load

ROOT = Path(__file__).parents[2]
PLAYBOOK = """\
name = "Spring"
family = "win_back"
stages = ["leaving"]
when = "orders >= 1"

[[steps]]
key = "hello"
channel = "email"
template = "win_back/we_miss_you"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A copy of the shipped files."""
    shutil.copy(ROOT / "config.toml", tmp_path)
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    return load(tmp_path / "config.toml")


def change(settings: Settings, name: str, old: str, new: str) -> None:
    path = settings.root / "playbooks" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def write(settings: Settings, text: str, name: str = "spring.toml") -> None:
    (settings.root / "playbooks" / name).write_text(text, encoding="utf-8")


def problems_of(settings: Settings) -> list[Problem]:
    with pytest.raises(BadFiles) as bad:
        read_book(settings)
    return bad.value.problems


def told(settings: Settings) -> list[tuple[str, int, int, str, str]]:
    return [
        (one.file.removeprefix("playbooks/"), one.line, one.column, one.message, one.hint.split("\n")[-1])
        for one in problems_of(settings)
    ]


def test_the_shipped_playbooks_are_in_order(settings: Settings) -> None:
    book = read_book(settings)
    assert "win_back" in book.playbooks
    assert book.lifecycle.key == "standard"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("stages =", "stage =", (3, 1, 'unknown key "stage"', 'did you mean "stages"?')),
        ('"leaving"', '"lapsd"', (3, 11, 'no stage or role "lapsd"', "known: ")),
        ('"leaving"', '"leving"', (3, 11, 'no stage or role "leving"', 'did you mean "leaving"?')),
        ("orders", "odrers", (4, 9, 'there is no fact "odrers"', 'did you mean "orders"?')),
        ("template", "tempalte", (9, 1, 'unknown key "tempalte"', 'did you mean "template"?')),
        ('"win_back"', '"winback"', (2, 10, '"winback" is not possible here', 'did you mean "win_back"?')),
    ],
)
def test_a_mistake_is_told_with_line_column_and_remedy(
    settings: Settings, old: str, new: str, expected: tuple[int, int, str, str]
) -> None:
    write(settings, PLAYBOOK.replace(old, new, 1))
    ((file, line, column, message, hint),) = told(settings)
    assert (file, line, column, message) == ("spring.toml", *expected[:3])
    assert hint.startswith(expected[3])


def test_a_role_that_the_lifecycle_lacks_is_no_mistake(settings: Settings) -> None:
    change(settings, "lifecycles/standard.toml", 'roles = ["advocate"]', "roles = []")
    write(settings, PLAYBOOK.replace('"leaving"', '"advocate"'))
    change(settings, "lifecycles/standard.toml", 'key = "advocate"', 'key = "fans"')
    assert read_book(settings).playbooks["spring"].stages == frozenset()


def test_conditions_and_stages_are_told_beside_other_mistakes_of_the_file(settings: Settings) -> None:
    write(settings, PLAYBOOK.replace("orders", "odrers").replace("leaving", "gone").replace("email", "mail"))
    assert [line for _, line, *_ in told(settings)] == [3, 4, 8]


def test_a_condition_that_is_no_text_is_told_once(settings: Settings) -> None:
    write(settings, PLAYBOOK.replace('"orders >= 1"', "3").replace("email", "mail"))
    assert [line for _, line, *_ in told(settings)] == [4, 8]


def test_a_step_that_is_there_twice_is_told_at_the_second(settings: Settings) -> None:
    step = PLAYBOOK[PLAYBOOK.index("[[steps]]") :]
    write(settings, PLAYBOOK + step)
    assert told(settings) == [("spring.toml", 11, 7, 'the step "hello" is there twice', "keys are unique")]


def test_a_playbook_does_not_end_before_it_starts(settings: Settings) -> None:
    write(settings, "starts = 2026-05-01\nends = 2026-04-30\n" + PLAYBOOK)
    ((_, line, column, message, _),) = told(settings)
    assert (line, column, message) == (2, 8, "the playbook ends before it starts")


def test_the_name_of_a_file_must_be_fit_for_a_key(settings: Settings) -> None:
    write(settings, PLAYBOOK, "My Sale.toml")
    assert [(file, message) for file, _, _, message, _ in told(settings)] == [
        ("My Sale.toml", '"My Sale" cannot be the key of a playbook')
    ]


def test_a_broken_fact_does_not_make_the_conditions_wrong_that_name_it(settings: Settings) -> None:
    change(settings, "facts.toml", 'latest = "nps"', 'latset = "nps"')
    assert [(file, message) for file, _, _, message, _ in told(settings)] == [("facts.toml", 'unknown key "latset"')]


def test_a_broken_lifecycle_does_not_make_the_playbooks_wrong_that_name_its_stages(settings: Settings) -> None:
    change(settings, "lifecycles/standard.toml", 'roles = ["buying"]', 'roles = ["buyng"]')
    write(settings, PLAYBOOK.replace('"leaving"', '"buying"'))
    assert [(file, message, hint) for file, _, _, message, hint in told(settings)] == [
        ("lifecycles/standard.toml", '"buyng" is not possible here', 'did you mean "buying"?')
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('key = "using"', 'key = "buying"', 'the stage "buying" is there twice'),
        ('key = "aware"', 'key = "aware"\nwhen = "orders = 0"', "everyone starts in the first stage"),
        ('when = "orders >= 4"', "", 'the stage "loyal" needs a `when`'),
        ("orders >= 4", "days_in_stage > 4", "days_in_stage"),
        ("orders >= 4", "orders >= yes", 'there is no fact "yes"'),
    ],
)
def test_a_lifecycle_with_a_mistake_is_refused(settings: Settings, old: str, new: str, message: str) -> None:
    change(settings, "lifecycles/standard.toml", old, new)
    problems = problems_of(settings)
    assert {one.file for one in problems} == {"playbooks/lifecycles/standard.toml"}
    assert all(one.line > 1 and one.column >= 1 for one in problems)
    assert any(message in one.message for one in problems)


def test_mistakes_of_all_files_are_told_in_one_run(settings: Settings) -> None:
    change(settings, "facts.toml", "[orders]\n", "[orders]\ncuont = true\n")
    change(settings, "lifecycles/standard.toml", "orders >= 4", "odrers >= 4")
    change(settings, "win_back.toml", "orders >= 1", "odrers >= 1")
    write(settings, 'name = "Spring')
    draft = read_draft(settings)
    assert {one.file.removeprefix("playbooks/") for one in draft.problems} == {
        "facts.toml",
        "lifecycles/standard.toml",
        "spring.toml",
        "win_back.toml",
    }
    assert "trial_offer" in draft.playbooks
    assert "spring" not in draft.files


def test_a_facts_file_that_is_no_toml_leaves_the_other_files_readable(settings: Settings) -> None:
    change(settings, "facts.toml", "[orders]\n", "[orders\n")
    write(settings, PLAYBOOK.replace("email", "mail").replace("orders", "odrers"))
    assert [(file, line) for file, line, *_ in told(settings)] == [("facts.toml", 9), ("spring.toml", 8)]


def test_a_missing_folder_is_told(settings: Settings) -> None:
    shutil.rmtree(settings.root / "playbooks")
    assert "there is no such folder" in [one.message for one in problems_of(settings)]
