"""The pages can be read: every text stands out from what it stands on, by day and by night."""

import re
from pathlib import Path

import pytest

import automation.web

CSS = (Path(automation.web.__file__).parent / "pages.css").read_text(encoding="utf-8")
LIGHT, DARK = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", part)) for part in CSS.split("@media (prefers")[:2])
PAIRS = [("text", "page"), ("text", "card"), ("quiet", "page"), ("quiet", "card"), ("accent", "card")]
PAIRS += [("on-accent", "accent"), ("good-text", "good"), ("warn-text", "warn")]


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    digits = color.removeprefix("#")
    digits = "".join(one * 2 for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_have_the_contrast_that_wcag_asks_for(colors: dict[str, str]) -> None:
    assert LIGHT.keys() == DARK.keys()
    for text, ground in PAIRS:
        dim, bright = sorted(luminance(colors[one]) for one in (text, ground))
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground)
    # Of a field it is its border that has to be seen: https://www.w3.org/TR/WCAG22/#non-text-contrast
    dim, bright = sorted(luminance(colors[one]) for one in ("field", "card"))
    assert (bright + 0.05) / (dim + 0.05) >= 3
