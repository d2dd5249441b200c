"""Starts the missing runs of a table by the step's own command, in a process of its own, and collects them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from results.catalogue import Entry
from results.collect import collect
from results.grouping import setting_key
from results.reader import Run, load_runs


def command_of(
    entry: Entry, preset: str, variants: Sequence[str], seeds: Sequence[int], rest: Sequence[str]
) -> list[str]:
    """The command that trains every variant with every seed; the step skips those that are finished.

    Args:
        entry: the table.
        preset: of the step.
        variants: rows.
        seeds: of each row.
        rest: further options of the step.
    """
    return [
        sys.executable, "-m", entry.trains, "table", "--preset", preset, "--variants", *variants,
        "--seeds", *map(str, seeds), *rest,
    ]  # fmt: skip


def start(command: Sequence[str], runs: Path, records: Path, file: str = "") -> int:
    """Run `command`, the records standing among the runs meanwhile, so that the step skips what they hold.

    Args:
        command: from :func:`command_of`.
        runs: the step's folder of run folders.
        records: the step's folder of records.
        file: only records that have it stand among the runs; empty for all.

    Returns:
        the command's exit status.
    """
    with _lent(records, runs, file), subprocess.Popen(command) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            return process.wait()
        except KeyboardInterrupt:  # it got the signal too, and brings its record in order before it ends
            return process.wait()
        finally:
            signal.signal(signal.SIGTERM, before)


def finished(runs: Path, file: str = "") -> list[Run]:
    """The finished runs of a step that have `file`, none where there is no such folder."""
    return [run for run in load_runs(runs) if (run.folder / file).exists()] if runs.is_dir() else []


def follow_up(entry: Entry, runs: Path, variants: Sequence[str], dataset: str | None) -> list[str]:
    """The command that writes :attr:`Entry.file` into the finished runs of `variants` that lack it; empty for none."""
    lacking = [
        str(run.folder) for run in finished(runs)
        if run.name in variants and dataset in (None, run.dataset) and not (run.folder / entry.file).exists()
    ]  # fmt: skip
    return [sys.executable, "-m", entry.trains, entry.after, "--run", *lacking] if entry.after and lacking else []


def collect_new(before: Sequence[Run], runs: Path, records: Path, file: str = "") -> list[Path]:
    """Collect the finished runs of the settings in which a run has finished since, so that tries on other data in the
    same folder do not get among the records.

    Args:
        before: what was finished before.
        runs: the step's folder of run folders.
        records: holds the records of all steps.
        file: runs without it do not count.
    """
    known, now = {run.folder for run in before}, finished(runs, file)
    settings = {setting_key(run) for run in now if run.folder not in known}
    wanted = {run.folder for run in now if setting_key(run) in settings}
    return collect(runs.parent, records, lambda folder: folder in wanted) if wanted else []


@contextmanager
def _lent(records: Path, runs: Path, file: str) -> Iterator[None]:
    """Link every record that has `file` into the folder of runs where no run of its name stands, and take the links
    away at the end.
    """
    links = []
    try:
        for status in sorted(records.glob("*/status.json")):
            record = status.parent
            link = runs / record.name
            if (record / file).exists() and not link.exists() and not link.is_symlink():
                runs.mkdir(parents=True, exist_ok=True)
                link.symlink_to(record.resolve(), target_is_directory=True)
                links.append(link)
        yield
    finally:
        for link in links:
            link.unlink(missing_ok=True)
