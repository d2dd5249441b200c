"""``python -m results.collect RUNS``: copy the records of finished runs, without weights, to be committed."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from results.integrity import FILES, RecordError, seal
from results.reader import RECORDS
from results.record_files import read_json


def collect(runs: Path, records: Path = RECORDS, wanted: Callable[[Path], bool] = lambda folder: True) -> list[Path]:
    """Copy every finished run below `runs` to ``<records>/<step>/<name>-<hash>``; returns the new folders.

    A record that is there already is replaced. A copy appears under its final name only when it is whole, and with
    digests of its files.

    Args:
        runs: folder of run folders, by step.
        records: where the copies go.
        wanted: whether the run in a folder is to be copied.
    """
    collected = []
    for status in sorted(runs.glob("*/*/status.json")):
        if read_json(status).get("status") != "finished":
            continue
        source = status.parent
        if not wanted(source):
            continue
        target = records / source.parent.name / source.name
        building = target.with_name(target.name + ".tmp")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for name in FILES:
            if (source / name).exists():
                shutil.copyfile(source / name, building / name)
        seal(building)
        if target.exists():
            shutil.rmtree(target)
        building.rename(target)
        collected.append(target)
    return collected


def main(arguments: list[str]) -> int:
    parser = ArgumentParser(prog="python -m results.collect", description=__doc__)
    parser.add_argument("runs", type=Path, help="folder of runs, such as runs")
    parser.add_argument("--records", type=Path, default=RECORDS, help="default: %(default)s")
    known = parser.parse_args(arguments)
    try:
        collected = collect(known.runs, known.records)
    except (RecordError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not collected:
        print(f"error: no finished run below {known.runs}", file=sys.stderr)
        return 2
    for folder in collected:
        print(f"collected {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
