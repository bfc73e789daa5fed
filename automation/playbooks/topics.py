"""Which topics there are to agree to: those of the marketing that is sent, or will be."""

import logging
from collections.abc import Iterable, Mapping
from datetime import date

from automation.errors import BadFiles
from automation.playbooks.load import playbook_files, read_draft
from automation.playbooks.model import Playbook
from automation.settings import Settings
from automation.tomlfile import Stamps, stamps

log = logging.getLogger(__name__)


def topics_by_channel(playbooks: Iterable[Playbook], today: date) -> dict[str, list[str]]:
    """Of playbooks that are active and have not ended, in order of the alphabet."""
    found: dict[str, set[str]] = {}
    for playbook in playbooks:
        if playbook.is_marketing and playbook.model.active and not playbook.has_ended(today):
            for step in playbook.steps:
                found.setdefault(step.model.channel, set()).add(playbook.model.topic)
    return {channel: sorted(topics) for channel, topics in found.items()}


class PlaybookFiles:
    """The playbooks, read again when a file changes. Broken ones leave what could be read before in force."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: Stamps | None = None
        self._playbooks: dict[str, Playbook] = {}

    def playbooks(self) -> Mapping[str, Playbook]:
        seen = self._state()
        if seen != self._seen:
            draft = read_draft(self._settings)
            for problem in draft.problems:
                log.error("a playbook file has a problem; what was read before stays in force: %s", problem)
            kept = self._playbooks if draft.problems else {}
            self._playbooks, self._seen = kept | draft.playbooks, seen
        return self._playbooks

    def _state(self) -> Stamps:
        paths = [self._settings.path(one) for one in (self._settings.paths.facts, self._settings.paths.lifecycle)]
        try:
            paths += playbook_files(self._settings)
        except BadFiles:
            log.exception("the folder of playbooks is not there")
        return stamps(paths)
