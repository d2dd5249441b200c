"""Reading text and tables of examples from disk: encodings, compression, and errors that name file and line."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from common.data.text import DataError

COMPRESSIONS = ("", ".gz", ".xz", ".bz2", ".zst")
FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
DAMAGE = (OSError, EOFError, lzma.LZMAError, zlib.error)
"""What reading a damaged compressed file raises."""


def read_bytes(path: Path) -> bytes:
    """Content of a file, decompressed by its ending (.gz, .xz, .bz2, .zst).

    Raises:
        DataError: when the file is truncated or not what its ending says.
    """
    content = path.read_bytes()
    try:
        if path.suffix == ".gz":
            return gzip.decompress(content)
        if path.suffix == ".xz":
            return lzma.decompress(content)
        if path.suffix == ".bz2":
            return bz2.decompress(content)
        if path.suffix == ".zst":
            import pyarrow

            with pyarrow.CompressedInputStream(pyarrow.BufferReader(content), "zstd") as stream:
                return stream.read()
    except (*DAMAGE, ValueError) as error:
        raise DataError(f"{path} cannot be decompressed ({error}); it is damaged or not {path.suffix[1:]}") from error
    return content


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Text of a file, possibly compressed, without a byte order mark and with ``\\n`` line ends.

    Raises:
        DataError: when it is not in `encoding`, naming file and line.
    """
    content = read_bytes(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16; save it as UTF-8")
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not {encoding.upper()}; "
            "convert the file (iconv -f latin1 -t utf-8, if it is Latin-1)"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """Lines of a file, possibly compressed, one after the other with ``\\n`` at their ends: a corpus need not fit into
    memory. Only ``\\n``, ``\\r\\n`` and ``\\r`` end a line.

    Raises:
        DataError: when it is damaged or not in `encoding`, naming file and line.
    """
    number = 0
    try:
        with _open(path) as raw, io.TextIOWrapper(raw, encoding=encoding, errors="strict") as file:  # pyright: ignore[reportArgumentType]
            for line in file:
                number += 1
                yield line.removeprefix("\ufeff") if number == 1 else line
    except UnicodeDecodeError as error:
        # The decoder reads ahead of the lines it has given.
        raise DataError(
            f"{path}, after line {number}: byte 0x{error.object[error.start]:02x} is not {encoding.upper()}; "
            "convert the file (iconv -f latin1 -t utf-8, if it is Latin-1)"
        ) from error
    except DAMAGE as error:
        raise DataError(f"{path} cannot be read to its end ({error}); it is damaged") from error


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".zst":
        import pyarrow

        return pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd")
    openers = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
    return openers.get(path.suffix, open)(path, "rb")  # pyright: ignore[reportReturnType, reportArgumentType]


def folder_of(path: str) -> Path:
    """The folder a config names. Raises DataError when there is none."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give `path` the folder that holds the dataset's files")
    return folder


def find_split(folder: Path, names: Sequence[str]) -> Path | None:
    """The one table among ``<name><format><compression>``, or None.

    Raises:
        DataError: when there are several, since only one can be meant.
    """
    candidates = [folder / f"{n}{f}{c}" for n in names for f in FORMATS for c in COMPRESSIONS]
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        raise DataError(f"{folder} has several files for one split: {', '.join(p.name for p in found)}; keep one")
    return found[0] if found else None


def read_table(path: Path, header: bool = True) -> list[dict[str, Any]]:
    """Rows of a csv, tsv, jsonl or parquet file, possibly compressed; csv values are strings.

    Without a `header` the columns of a csv or tsv are named "0", "1", and so on.

    Raises:
        DataError: for a malformed row, naming file and line.
    """
    kind = (path.with_suffix("") if path.suffix in COMPRESSIONS else path).suffix
    if kind == ".parquet":
        import pyarrow.parquet

        try:
            return pyarrow.parquet.read_table(io.BytesIO(read_bytes(path))).to_pylist()
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is not a readable parquet file ({error})") from error
    text = read_text(path)
    return _jsonl(path, text) if kind == ".jsonl" else _csv(path, text, "\t" if kind == ".tsv" else ",", header)


def _jsonl(path: Path, text: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}, line {number}: not JSON ({error.msg})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: needs an object with text and label")
        rows.append(row)
    return rows


def _csv(path: Path, text: str, delimiter: str, header: bool) -> list[dict[str, Any]]:
    csv.field_size_limit(1 << 30)  # a text may be longer than the module's 128 KiB
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if not columns:
                columns = [name.strip() for name in cells] if header else [str(k) for k in range(len(cells))]
                if header:
                    continue
            if len(cells) != len(columns):
                raise DataError(f"{path}, line {reader.line_num}: {len(cells)} columns, expected {len(columns)}")
            rows.append(dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    return rows
