"""Where a picture lies: a file, a span of an archive, or bytes at hand."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar

from common.data.text import DataError


class ImageError(DataError):
    """A picture that cannot be used. The message names it and says why."""


@dataclass(frozen=True)
class ImageSource:
    """A picture that is read when it is needed.

    An archive is addressed by the span of its bytes, so that any process reads any member without an index or a shared
    handle.
    """

    path: str = ""
    """File, or the archive that holds the picture."""
    member: str = ""
    """Name inside the archive `path`; empty for a file of its own."""
    offset: int = 0
    """First byte of the member inside the archive."""
    length: int = 0
    """Bytes of the member inside the archive, compressed or not."""
    deflated: bool = False
    """Whether those bytes are a raw deflate stream, as in most zip files."""
    data: bytes | None = field(default=None, repr=False)
    """The encoded picture itself (a cell of a table, a member of a streamed archive)."""
    label: str = ""
    """Name for messages where there is no `path`."""

    generated: ClassVar[bool] = False
    """Whether the picture is drawn by this package, hence known to be whole."""

    @property
    def name(self) -> str:
        """The picture in words, for messages."""
        if not self.path:
            return self.label or "a picture in memory"
        return f"{self.path}:{self.member}" if self.member else self.path

    @property
    def key(self) -> str:
        """What two samples must share to show the same picture of the corpus."""
        return self.name

    def identity(self) -> str:
        """Name within its folder and size in bytes, whatever the place of the folder: enters the fingerprint."""
        return f"{Path(self.member or self.path or self.label).name}:{self.size()}"

    def size(self) -> int:
        """Encoded bytes (compressed ones for a compressed member), without reading them; -1 where it is missing."""
        if self.data is not None:
            return len(self.data)
        if self.member:
            return self.length
        try:
            return Path(self.path).stat().st_size
        except OSError:
            return -1

    def open(self) -> BinaryIO:
        """The encoded picture as a file, of which a reader of headers needs only the beginning.

        Raises:
            ImageError: when it is missing or its archive is damaged.
        """
        if self.data is not None or self.member:
            return io.BytesIO(self.read())
        try:
            return Path(self.path).open("rb")
        except OSError as error:
            raise ImageError(f"{self.name}: {_reason(error)}") from error

    def read(self) -> bytes:
        """The encoded picture.

        Raises:
            ImageError: when it is missing or its archive is damaged.
        """
        if self.data is not None:
            return self.data
        try:
            with Path(self.path).open("rb") as file:
                if not self.member:
                    return file.read()
                file.seek(self.offset)
                content = file.read(self.length)
            if len(content) < self.length:
                raise ImageError(f"{self.name}: the archive ends within it")
            return zlib.decompress(content, -zlib.MAX_WBITS) if self.deflated else content
        except OSError as error:
            raise ImageError(f"{self.name}: {_reason(error)}") from error
        except zlib.error as error:
            raise ImageError(f"{self.name}: its compressed bytes are damaged ({error})") from error


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a picture"
    return f"cannot be read ({error.strerror or error})"
