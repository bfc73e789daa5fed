"""A slow count is shown again for a while, a quick one is counted every time."""

from dataclasses import dataclass

from automation.web.console.recent import LONGEST, SHARE, Recent


@dataclass
class Counting:
    """A count that takes so many seconds of a clock that it moves itself."""

    takes: float
    now: float = 0.0
    times: int = 0

    def __call__(self) -> int:
        self.now += self.takes
        self.times += 1
        return self.times


def asked(counting: Counting, recent: Recent, key: str = "day") -> int:
    return recent.of(key, counting)


def test_a_quick_count_is_made_every_time() -> None:
    counting = Counting(0.01)
    recent = Recent(lambda: counting.now)
    assert [asked(counting, recent) for _ in range(3)] == [1, 2, 3]


def test_a_slow_count_is_shown_again_for_twenty_times_as_long_as_it_took() -> None:
    counting = Counting(1.0)
    recent = Recent(lambda: counting.now)
    assert [asked(counting, recent) for _ in range(3)] == [1, 1, 1]
    counting.now += SHARE - 0.01
    assert asked(counting, recent) == 1
    counting.now += 0.01
    assert asked(counting, recent) == 2


def test_nothing_is_shown_for_longer_than_a_minute() -> None:
    counting = Counting(30.0)
    recent = Recent(lambda: counting.now)
    asked(counting, recent)
    counting.now += LONGEST
    assert asked(counting, recent) == 2


def test_what_is_known_of_one_day_is_not_shown_for_another() -> None:
    counting = Counting(1.0)
    recent = Recent(lambda: counting.now)
    assert (asked(counting, recent, "monday"), asked(counting, recent, "tuesday")) == (1, 2)
