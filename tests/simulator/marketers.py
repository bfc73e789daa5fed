"""What the marketers of the simulated shop write, change, break and mend."""

from pathlib import Path
from random import Random

from simulator.texts import EXTRA_STEP, FACTS, LAYOUT, LIFECYCLE, PLAYBOOKS, TEMPLATES

AT_ONCE = 4  # a seed draws some of them: what one shop lacks cannot hide what goes wrong with the others


class Marketers:
    """Their folder, with some of the playbooks. Whatever they break they mend some days later."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self._folder, self._chance = folder, chance
        self._all = {key: PLAYBOOKS[key] for key in sorted(chance.sample(sorted(PLAYBOOKS), AT_ONCE))}
        self._texts = dict(self._all)
        self._broken: dict[Path, int] = {}
        self._write("playbooks/facts.toml", FACTS)
        self._write("playbooks/lifecycles/simulated.toml", LIFECYCLE)
        self._write("templates/_layouts/default.mjml", LAYOUT)
        for name in TEMPLATES:
            self._write_template(name, 0)
        for key in self._all:
            self._write_playbook(key)

    def change_something(self, day: int) -> None:
        change = self._chance.choice((self._reword, self._reword, self._toggle, self._remove, self._steps, self._break))
        change(day)

    def mend(self, day: int) -> None:
        """What was broken some days ago."""
        for path in [path for path, until in self._broken.items() if until <= day]:
            del self._broken[path]
            if path.suffix == ".toml":
                self._write_playbook(path.stem)
            else:
                self._write_template(path.name, day)

    def _reword(self, day: int) -> None:
        self._write_template(self._chance.choice(sorted(TEMPLATES)), day)

    def _toggle(self, _: int) -> None:
        key = self._chance.choice(sorted(self._texts))
        text = self._texts[key]
        idle = "active = false\n"
        self._texts[key] = text.removeprefix(idle) if text.startswith(idle) else idle + text
        self._write_playbook(key)

    def _remove(self, _: int) -> None:
        """A playbook is gone for a while, or all come back."""
        gone = sorted(self._all.keys() - self._texts.keys())
        if gone:
            self._texts |= {key: self._all[key] for key in gone}
        else:
            key = self._chance.choice(sorted(self._all))
            del self._texts[key]
            (self._folder / f"playbooks/{key}.toml").unlink()
        for key in gone:
            self._write_playbook(key)

    def _steps(self, _: int) -> None:
        """A playbook gets one step more, or loses it again."""
        key = self._chance.choice(sorted(self._texts))
        text = self._texts[key]
        self._texts[key] = text.removesuffix(EXTRA_STEP) if text.endswith(EXTRA_STEP) else text + EXTRA_STEP
        self._write_playbook(key)

    def _break(self, day: int) -> None:
        name = self._chance.choice(("playbooks/digest.toml", "templates/shop/note.en.md", "playbooks/receipt.toml"))
        path = self._folder / name
        if path.exists():
            path.write_text(path.read_text(encoding="utf-8") + "\ncolour = {% if\n", encoding="utf-8")
            self._broken[path] = day + self._chance.randint(1, 4)

    def _write_playbook(self, key: str) -> None:
        if key in self._texts:
            self._write(f"playbooks/{key}.toml", f'name = "{key}"\n{self._texts[key]}')

    def _write_template(self, name: str, version: int) -> None:
        text = TEMPLATES[name].replace("{version}", f" ({version})")
        subject = '+++\nsubject = "The shop"\n+++\n' if name.endswith(".md") else ""
        self._write(f"templates/shop/{name}", subject + text)

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
