"""Providers' weather: how likely each trouble is. What is left over is a good answer."""

TROUBLES = (
    "before",
    "lost",
    "cut",
    "silent",
    "throttled",
    "unwell",
    "broken",
    "timeout",
    "account",
    "refused",
    "empty",
)
WEATHERS: dict[str, dict[str, float]] = {
    "fine": dict.fromkeys(TROUBLES, 0.004),
    "storm": dict.fromkeys(TROUBLES, 0.05),
    "down": {"before": 1},
    "hanging": {"lost": 0.4, "silent": 0.5},
    "throttled": {"throttled": 0.8},
    "unfit": {"account": 1},
    "broken": {"broken": 0.7, "unwell": 0.2},
}
STATUSES = {
    "unwell": (500, 502),
    "broken": (500, 502, 504),
    "timeout": (408, 409),
    "account": (401, 403, 302),
    "refused": (400, 422),
}
