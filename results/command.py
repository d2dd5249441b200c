"""The command line that every table and figure shares."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

from results.made_from import write_note
from results.reader import RECORDS, RecordError, Run, load_runs

Maker = Callable[[Sequence[Run], Path], list[Path]]


def run_maker(make: Maker, folder: Path, description: str | None, arguments: Sequence[str] | None = None) -> int:
    """Parse ``--records`` and ``--out``, call `make`, print what was written. Returns the exit status.

    Args:
        make: writes files from runs into a folder.
        folder: where they go unless ``--out`` says otherwise.
        description: shown by ``--help``.
        arguments: command line; the process's own by default.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder with run records (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=folder, help="where the files go (default: %(default)s)")
    known = parser.parse_args(arguments)
    try:
        runs = _own(folder.name, load_runs(known.records))
        if not runs:
            raise RecordError(f"no finished run below {known.records}; train some, or name another folder by --records")
        written = make(runs, known.out)
        _note(folder.name, runs, known.out, written)
    except (RecordError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"wrote {path}")
    return 0


def _own(name: str, runs: Sequence[Run]) -> list[Run]:
    """The runs that the one table or figure of that name may show; all where it stands for several."""
    from results.catalogue import catalogue  # imported late: it knows the makers, which import this

    entry = catalogue().get(name)
    return list(runs) if entry is None else entry.own(runs)


def _note(name: str, runs: Sequence[Run], out: Path, written: Sequence[Path]) -> None:
    """Note what the one table or figure of that name was made from; several do so themselves."""
    from results.catalogue import catalogue

    if name in catalogue():
        write_note(name, runs, out, written)
