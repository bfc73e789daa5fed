"""The marketers' files while a worker runs."""

import logging

from automation.delivery.versions import contents_of, require_good
from automation.errors import BadFiles
from automation.playbooks.load import Book, read_book
from automation.settings import Settings

log = logging.getLogger(__name__)


class Files:
    """The marketers' files, read again when one of them changes. Broken ones leave the last good ones in force."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._book: Book | None = None

    def book(self) -> Book:
        """Raises BadFiles only when there never was a good state."""
        seen = self._state()
        if self._book is None or seen != self._seen:
            try:
                self._book = self._read()
            except BadFiles as error:
                if self._book is None:
                    raise
                log.error("the files have problems; their last good state stays in force: %s", error)  # noqa: TRY400 (likewise)
            self._seen = seen
        return self._book

    def _read(self) -> Book:
        book = read_book(self.settings)
        for content in contents_of(book, self.settings).values():
            require_good(content)
        return book

    def _state(self) -> tuple[tuple[str, int, int], ...]:
        paths = self.settings.paths
        folders = {self.settings.path(one) for one in (paths.playbooks, paths.templates)}
        files = {self.settings.path(one) for one in (paths.facts, paths.lifecycle)}
        for folder in folders:
            files |= {file for file in folder.rglob("*") if file.is_file()}
        stats = ((str(file), file.stat()) for file in sorted(files) if file.exists())
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
