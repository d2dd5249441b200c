"""``python -m paper.numbers``: writes build/numbers.tex. The keys are explained in ``paper/numbers/__init__.py``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from common.files import write_text
from paper.numbers.macro import document
from paper.numbers.macros import macros
from paper.numbers.pictures import picture_macros
from results.integrity import RecordError
from results.table_rows import RESULTS, tables

TARGET = Path(__file__).parents[1] / "build" / "numbers.tex"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the macros; the exit status."""
    parser = ArgumentParser(description="Writes the numbers of the tables as LaTeX macros.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder with the tables (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=TARGET, help="file to write (default: %(default)s)")
    known = parser.parse_args(arguments)
    try:
        found = tables(known.results)
    except RecordError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not found:
        print(f"error: no table.csv below {known.results}; python -m results make writes them", file=sys.stderr)
        return 2
    print(f"wrote {write_text(known.out, document([*macros(found), *picture_macros(known.results)]))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
