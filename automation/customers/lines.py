"""The bytes of a file of lines, compressed or not."""

import gzip
from pathlib import Path
from typing import BinaryIO, cast

from automation.errors import BadInput

MAX_LINE = 1_000_000  # bytes
TOO_LONG = f"the line is longer than {MAX_LINE // 1_000_000} MB"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def open_lines(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """The uncompressed bytes after a byte order mark, and the file itself, whose position shows how far we are.

    Raises BadInput when it cannot be opened or is in UTF-16.
    """
    try:
        disk = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    stream = cast("BinaryIO", gzip.GzipFile(fileobj=disk)) if path.suffix == ".gz" else disk
    try:
        mark = stream.read(len(UTF8_MARK))
    except (OSError, EOFError):
        disk.close()
        raise BadInput(f"{path} is not compressed by gzip; name it without .gz") from None
    if mark.startswith(UTF16_MARKS):
        disk.close()
        raise BadInput(f"{path} is in UTF-16; save it as UTF-8")
    if mark != UTF8_MARK:
        stream.seek(0)
    return stream, disk
