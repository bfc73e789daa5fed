"""The shipped facts, lifecycle, playbooks and copy fit together."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from automation.messages.sms import segments
from automation.web.words import WORDS

ROOT = Path(__file__).parents[2]
ROLES = {"aware", "evaluating", "buying", "using", "retained", "loyal", "advocate", "leaving"}
FAMILIES = {"trial_offer", "purchase_nudge", "loyalty_reward", "referral_ask", "win_back"}
ALWAYS_THERE = {"signed_up", "stage", "role", "days_in_stage", "locale", "country", "can_email", "can_sms"}
GRAMMAR = {"and", "or", "not", "in", "between", "is", "set", "true", "false", "days_since", "days_until"}
KINDS = {"count", "sum", "min", "max", "first", "last", "latest", "distinct"}


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


FACTS = read(ROOT / "playbooks/facts.toml")
STAGES = read(ROOT / "playbooks/lifecycles/standard.toml")["stages"]
LIFECYCLES = [read(path)["stages"] for path in sorted((ROOT / "playbooks/lifecycles").glob("*.toml"))]
PLAYBOOKS = {path.stem: read(path) for path in sorted((ROOT / "playbooks").glob("*.toml")) if path.name != "facts.toml"}
README = (ROOT / "playbooks/README.md").read_text(encoding="utf-8")
SURVEY = "https://shop.example/s/AAAAAAAAAbbIp_t3ep__AjTNksDUyczC"
SMS = sorted(path for path in (ROOT / "templates").rglob("*.en.txt") if path.parent.name != "_layouts")


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for key, playbook in PLAYBOOKS.items():
        for step in playbook["steps"]:
            yield key, step


def templates() -> Iterator[tuple[str, str]]:
    """Channel and template of every step and variant."""
    for _, step in steps():
        for one in [step, *step.get("variants", [])]:
            yield step["channel"], one["template"]


def conditions() -> Iterator[str]:
    yield from (stage["when"] for stages in LIFECYCLES for stage in stages if "when" in stage)
    for playbook in PLAYBOOKS.values():
        yield from (playbook[key] for key in ("when", "exit_when") if key in playbook)
    yield from (step["when"] for _, step in steps() if "when" in step)


def names_in(condition: str) -> set[str]:
    without_text = re.sub(r"\"[^\"]*\"|'[^']*'", "", condition)
    return set(re.findall(r"[A-Za-z_]\w*", without_text)) - GRAMMAR


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_five_families_occur() -> None:
    assert {playbook["family"] for playbook in PLAYBOOKS.values()} >= FAMILIES


def test_every_role_occurs_and_every_playbook_names_known_ones() -> None:
    assert {role for stage in STAGES for role in stage["roles"]} == ROLES
    known = ROLES | {stage["key"] for stage in STAGES}
    assert {stage for playbook in PLAYBOOKS.values() for stage in playbook.get("stages", ())} <= known


def test_everyone_starts_in_the_first_stage_and_only_there() -> None:
    for stages in LIFECYCLES:
        assert ["when" in stage for stage in stages] == [False] + [True] * (len(stages) - 1)


def test_a_stage_does_not_ask_where_the_customer_stands() -> None:
    for stage in (stage for stages in LIFECYCLES for stage in stages):
        assert not names_in(stage.get("when", "")) & {"stage", "role", "days_in_stage"}


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_worked_out_in_exactly_one_way(name: str) -> None:
    fact = FACTS[name]
    assert name not in ALWAYS_THERE
    assert ("event" in fact) != ("attribute" in fact)
    assert len(KINDS & fact.keys()) == ("event" in fact)


def test_conditions_name_only_facts_that_exist() -> None:
    for condition in [*conditions(), *conditions_in_the_guide()]:
        assert names_in(condition) <= FACTS.keys() | ALWAYS_THERE, condition


def conditions_in_the_guide() -> list[str]:
    section = README.split("## 2. Conditions")[1].split("## 3.")[0]
    found = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    assert found
    return found


def test_templates_name_only_facts_that_exist() -> None:
    for path in (ROOT / "templates").glob("*/*.en.*"):
        named = set(re.findall(r"\bfacts\.(\w+)", path.read_text(encoding="utf-8")))
        assert named <= FACTS.keys() | ALWAYS_THERE, path.name


def test_every_step_and_variant_has_its_english_template() -> None:
    for channel, template in templates():
        ending = "txt" if channel == "sms" else "md"
        assert (ROOT / "templates" / f"{template}.en.{ending}").is_file(), template


def test_no_template_of_a_playbook_is_left_unused() -> None:
    used = {template for _, template in templates()}
    there = {f"{path.parent.name}/{path.name.split('.')[0]}" for path in (ROOT / "templates").glob("*/*.en.*")}
    assert {one for one in there if one.split("/")[0] in PLAYBOOKS} == used


def test_only_a_playbook_with_an_offer_writes_about_its_code() -> None:
    for channel, template in templates():
        ending = "txt" if channel == "sms" else "md"
        text = (ROOT / "templates" / f"{template}.en.{ending}").read_text(encoding="utf-8")
        assert "offer." not in text or "offer" in PLAYBOOKS[template.split("/")[0]], template


def test_every_email_has_a_subject_and_a_preheader() -> None:
    for channel, template in templates():
        if channel == "email":
            text = (ROOT / "templates" / f"{template}.en.md").read_text(encoding="utf-8")
            header = tomllib.loads(text.split("+++\n")[1])
            assert header.keys() == {"subject", "preheader"}, template
            assert len(header["subject"]) <= 80, template


@pytest.mark.parametrize("path", SMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_english_sms_is_one_segment_with_a_link_and_a_way_out(path: Path) -> None:
    text = filled_in(path.read_text(encoding="utf-8").strip())
    assert segments(text).encoding == "GSM-7"
    assert segments(text).segments == 1
    assert "https://" in text
    assert text.endswith("Reply STOP to opt out")


def filled_in(text: str) -> str:
    """The longest a reader is likely to get: the first branch of an `if`, long dates, long codes."""
    values = {
        "business.name": "Example Shop",
        "business.contact": "help@shop.example",
        "offer.code": "FRIEND-K7QX2MWD",
        "offer.expires | date": "September 28, 2026",
        "facts.trial_ends | date": "September 28, 2026",
        "facts.renews_at | date": "September 28, 2026",
        "preferences_url": "https://shop.example/p/AAAAAAAAAbbIp_t3ep__AjTNksDUyczC",
        "referral.url": "https://shop.example/r/AAAAAAAAAA",
        'facts.points | plural(one="# point", other="# points")': "12,345 points",
        **{f'"{key}" | survey': f"{SURVEY}/{key}" for key in ("csat", "nps", "leaving")},
    }
    text = re.sub(r"\{% else %\}.*?\{% endif %\}|\{%.*?%\}", "", text)
    return re.sub(r"\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


def test_the_first_step_waits_for_nothing_and_the_others_say_how_long() -> None:
    for key, playbook in PLAYBOOKS.items():
        assert ["after" in step for step in playbook["steps"]] == [False] + [True] * (len(playbook["steps"]) - 1), key


def test_every_text_message_asks_whether_it_may() -> None:
    for key, step in steps():
        assert step["channel"] == "email" or "answers" in PLAYBOOKS[key] or "can_sms" in step["when"], key


def test_every_topic_has_a_name_in_every_language_of_the_page_where_customers_choose() -> None:
    topics = {one.get("topic", "offers") for one in PLAYBOOKS.values() if one.get("kind") != "transactional"}
    for language, words in WORDS.items():
        assert topics <= words.topics.keys(), language


def test_a_playbook_with_dates_starts_before_it_ends() -> None:
    dated = [playbook for playbook in PLAYBOOKS.values() if "starts" in playbook]
    assert dated
    for playbook in dated:
        assert isinstance(playbook["starts"], date)
        assert playbook["starts"] < playbook["ends"]


def test_every_example_in_the_guide_is_toml() -> None:
    assert len(examples("toml")) >= 3
    for example in examples("toml"):
        assert tomllib.loads(example)
