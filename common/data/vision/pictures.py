"""Finding the pictures of a dataset: a folder of files, or an uncompressed tar or a zip of them."""

from __future__ import annotations

import struct
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from common.data.text import DataError
from common.data.vision.source import ImageSource

ARCHIVES = (".zip", ".tar")


class Pictures:
    """Pictures by name, in the first of several places that exists.

    Args:
        folder: the dataset's folder.
        places: folders below it, in order of preference; each may also be an archive, such as ``images.zip``. "" is
            the folder itself.

    Raises:
        DataError: when none of the places exists.
    """

    def __init__(self, folder: Path, places: Sequence[str]) -> None:
        self._members: dict[str, ImageSource] | None = None
        for place in places:
            self.place = folder / place
            if self.place.is_dir():
                return
            if place:
                for ending in ARCHIVES:
                    archive = self.place.with_name(self.place.name + ending)
                    if archive.is_file():
                        self.place, self._members = archive, archive_members(archive)
                        return
        named = ", ".join(f"{place}/" for place in places)
        raise DataError(f"{folder} has no pictures; looked for {named} (or the same as {' or '.join(ARCHIVES)})")

    def find(self, name: str) -> ImageSource:
        """The picture `name`; in an archive by its full name, else by its last part. A missing one is found out when it
        is checked or read."""
        if self._members is None:
            return ImageSource(str(self.place / name))
        found = self._members.get(name) or self._members.get(Path(name).name)
        return found or ImageSource(f"{self.place}:{name}")

    def find_stem(self, stem: str, endings: Sequence[str]) -> ImageSource:
        """The picture `stem` with the first of the endings that exists, or with the first ending."""
        found = [self.find(stem + ending) for ending in endings]
        return next((source for source in found if source.size() >= 0), found[0])


def archive_members(path: Path) -> dict[str, ImageSource]:
    """Files in an uncompressed tar or in a zip, by full name and by file name (where that is unique).

    Raises:
        DataError: when it is no such archive, is damaged, or packs members in a way other than deflate.
    """
    try:
        found = _zip_members(path) if path.suffix == ".zip" else _tar_members(path)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, struct.error) as error:
        raise DataError(f"{path} is not a readable {path.suffix[1:]} archive ({error})") from error
    short: dict[str, ImageSource | None] = {}
    for member, source in found.items():
        name = Path(member).name
        short[name] = None if name in short else source
    return {**{name: source for name, source in short.items() if source is not None}, **found}


def _tar_members(path: Path) -> dict[str, ImageSource]:
    with tarfile.open(path, "r:") as archive:
        return {
            member.name: ImageSource(str(path), member.name, member.offset_data, member.size)
            for member in archive
            if member.isfile()
        }


def _zip_members(path: Path) -> dict[str, ImageSource]:
    found = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
                raise DataError(f"{path}: {member.filename} is encrypted or neither stored nor deflated; unpack it")
            # The local header may have other lengths of name and extra field than the directory at the end.
            file.seek(member.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            found[member.filename] = ImageSource(
                str(path), member.filename, member.header_offset + 30 + name + extra, member.compress_size,
                member.compress_type == zipfile.ZIP_DEFLATED,
            )  # fmt: skip
    return found
