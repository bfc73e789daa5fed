"""Rules of countries, from the dated file beside this one."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from automation.values import Window, WindowPair

FILE = Path(__file__).with_name("rules.toml")
Channel = Literal["email", "sms"]


class Rule(BaseModel):
    """What holds in some countries from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    countries: tuple[str, ...] = Field(min_length=1)
    since: date
    window: dict[Channel, WindowPair] = {}
    mark: str | None = Field(None, min_length=1)
    soft_opt_in: frozenset[Channel] | None = None
    source: str = Field(min_length=1)


class Rules(BaseModel):
    """The file. `as_of`: when somebody last compared it with its sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    rules: tuple[Rule, ...]


class Region(NamedTuple):
    """What holds in one country on one day."""

    windows: Mapping[str, Window]
    mark: str | None
    soft_opt_in: frozenset[str]


@cache
def rules() -> Rules:
    return Rules.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))


@lru_cache(maxsize=4096)
def region_of(country: str | None, on: date) -> Region:
    """By the two-letter code; where nothing is known of a country, nothing is special there."""
    windows: dict[str, Window] = {}
    mark, soft_opt_in = None, frozenset[str]()
    for rule in rules().rules:
        if country in rule.countries and rule.since <= on:
            windows.update(rule.window.items())
            mark = rule.mark or mark
            soft_opt_in = soft_opt_in if rule.soft_opt_in is None else frozenset(rule.soft_opt_in)
    return Region(windows, mark, soft_opt_in)


def window_in(region: Region, channel: str, shops: Window) -> Window:
    """When a marketing message may go there: within the shop's window and the country's. Where they have no time in
    common the country's alone counts.
    """
    theirs = region.windows.get(channel)
    return shops if theirs is None else _overlap(shops, theirs) or theirs


def mark_of(country: str | None, on: date, channel: str, kind: str) -> str | None:
    """What the subject has to begin with."""
    return region_of(country, on).mark if channel == "email" and kind == "marketing" else None


def _overlap(shops: Window, theirs: Window) -> Window | None:
    """The time that two windows have in common; of two such times, the one in which the first begins."""
    if _holds(theirs, shops.start):
        start = shops.start
    elif _holds(shops, theirs.start):
        start = theirs.start
    else:
        return None
    ends = sorted((shops.end, theirs.end), key=lambda end: (end <= start, end))
    return Window(start, ends[0])


def _holds(window: Window, wall: object) -> bool:
    start, end = window
    return start <= wall < end if start < end else wall >= start or wall < end  # type: ignore[operator]
