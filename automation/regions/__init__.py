"""What differs from country to country and from language to language: windows, marks, soft opt-in, words in texts."""

from automation.regions.rules import Region, mark_of, region_of, window_in
from automation.regions.words import Meaning, meaning_of

__all__ = ["Meaning", "Region", "mark_of", "meaning_of", "region_of", "window_in"]
