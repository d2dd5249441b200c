"""``python -m results``: the state of every table and figure; makes them, starts their runs, compares records."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path

from results.catalogue import Entry, chosen
from results.diff.changes import FALSE_DISCOVERY, HOLM, group_frame, lone_rows, run_rows
from results.diff.compared import compared
from results.diff.detail import SEED_TESTS, answer_frame, overall_frame, seed_frame
from results.diff.pairing import pairs, titles
from results.integrity import is_sealed, seal
from results.make import FOLDER, make
from results.reader import RECORDS, RecordError, load_runs
from results.report.page import build
from results.shown import say, show, show_answers, show_groups, show_overall, show_seeds, show_states
from results.start import collect_new, command_of, finished, follow_up, start
from results.states import state_of

USAGE = """The tables and figures of the study, from the records of its runs.

  python -m results [list] [--check]                 the state of each
  python -m results make [NAME …]                    makes all, or those of the names
  python -m results run NAME --preset P [options]    starts the runs that one lacks, then collects their records
  python -m results report [--out FILE]              one page with all of it, that stands alone
  python -m results diff A B [--detail] [--fdr]      compares two folders of records
  python -m results seal                             writes digests of the records that have none
"""


def list_command(arguments: list[str]) -> int:
    """What there is of every table and figure."""
    parser = _parser("list", f"{USAGE}\nOptions of list:")
    parser.add_argument("--check", action="store_true", help="exit with 1 if files of any are out of date")
    known = parser.parse_args(arguments)
    runs = load_runs(known.records)
    states = [state_of(entry, runs, FOLDER / entry.name) for entry in chosen()]
    show_states(states)
    old = [one.entry.name for one in states if one.stale]
    if old:
        say(f"to bring up to date: python -m results make {' '.join(old)}")
    open_runs = sum(not is_sealed(run.folder) for run in runs)
    if open_runs:
        say(f"{open_runs} of {len(runs)} records have no digests; python -m results seal writes them")
    return int(bool(old) and known.check)


def make_command(arguments: list[str]) -> int:
    """Tables and figures, each into the folder of its name."""
    parser = _parser("make", "Makes tables and figures from the records.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="holds their folders (default: %(default)s)")
    known = parser.parse_args(arguments)
    entries, runs = chosen(known.names), load_runs(known.records)
    for entry in entries:
        if not entry.own(runs) and (known.names or not runs):
            raise RecordError(
                f"{entry.name}: no finished run of {entry.step} below {known.records}; "
                f"python -m results run {entry.name} trains some"
            )
    for path in make(runs, known.out, [entry.name for entry in entries]):
        say(f"wrote {path}")
    return 0


def run_command(arguments: list[str]) -> int:
    """The missing runs of a table."""
    parser = _parser("run", "Starts the runs that a table lacks, then collects their records.")
    parser.epilog = "Further options are those of the step, see python -m STEP table --help."
    parser.add_argument("name", metavar="NAME", help="of a table or figure, see python -m results list")
    parser.add_argument("--preset", required=True, help="of the step: quick, small, paper")
    parser.add_argument("--engine", choices=("serial", "ray"), default="serial")
    parser.add_argument("--seeds", nargs="+", type=int, help="default: those that the table wants")
    parser.add_argument("--variants", nargs="+", help="default: those that the table wants on these data")
    parser.add_argument("--data.name", dest="dataset", help="the step's own option")
    parser.add_argument(
        "--data.train_fraction", "--data.train-fraction", dest="fractions", nargs="+", type=float,
        help="shares of the training data; default: those that the figure wants",
    )  # fmt: skip
    parser.add_argument(
        "--runtime.runs_dir", "--runtime.runs-dir", dest="runs", default="runs", help="the step's own option"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the command and start nothing")
    known, rest = parser.parse_known_args(arguments)
    (entry,) = chosen([known.name])
    _check_choice(entry, known)
    variants = known.variants or entry.on(known.dataset)
    rest = ["--engine", known.engine, "--runtime.runs_dir", known.runs, *rest]
    rest += ["--data.name", known.dataset] if known.dataset else []
    status, runs = 0, Path(known.runs).expanduser() / entry.trains
    for fraction in known.fractions or entry.fractions(known.dataset):
        share = [] if fraction == 1 else ["--data.train_fraction", str(fraction)]
        command = command_of(entry, known.preset, variants, known.seeds or entry.seeds, [*rest, *share])
        say(shlex.join(command))
        if known.dry_run:
            continue
        before = finished(runs, entry.file)
        status = start(command, runs, known.records / entry.trains, entry.file) or status
        further = follow_up(entry, runs, variants, known.dataset)
        if further:
            say(shlex.join(further))
            status = start(further, runs, known.records / entry.trains, entry.file) or status
        for folder in collect_new(before, runs, known.records, entry.file):
            say(f"collected {folder}")
    return status


def _check_choice(entry: Entry, known: Namespace) -> None:
    """Where the data decide what a table wants, the data or the runs have to be named.

    Raises:
        RecordError: they are not.
    """
    choices = {"variants": (known.variants, entry.rows), "data.train-fraction": (known.fractions, entry.shares)}
    for option, (given, wanted) in choices.items():
        if not given and not known.dataset and len(set(wanted.values())) > 1:
            settings = "; ".join(wanted)
            raise RecordError(
                f"{entry.name} wants other runs on each of {settings}: choose by --data.name, or by --{option}"
            )


def diff_command(arguments: list[str]) -> int:
    """Two folders of records side by side."""
    parser = ArgumentParser(prog="python -m results diff", description="Compares two folders of records.")
    parser.add_argument("first", type=Path, metavar="A")
    parser.add_argument("second", type=Path, metavar="B")
    parser.add_argument(
        "--detail", action="store_true",
        help="also a test, Hedges' g and the number of seeds needed, over seeds; McNemar's test of right and wrong "
        "answers; the interquartile mean over variants",
    )  # fmt: skip
    parser.add_argument(
        "--seed-test", choices=SEED_TESTS, default="paired-t",
        help="of --detail; wilcoxon (from 6 seeds) and mann-whitney (from 4 and 4) assume no normal scores, welch and "
        "mann-whitney also take seeds that only one folder has (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--fdr", action="store_const", const=FALSE_DISCOVERY, default=HOLM, dest="correction",
        help="correct p by Benjamini and Hochberg, to look through many differences, instead of by Holm",
    )  # fmt: skip
    known = parser.parse_args(arguments)
    first, second = load_runs(known.first), load_runs(known.second)
    if not first or not second:
        raise RecordError(f"no finished run below {known.second if first else known.first}; name a folder of records")
    found, only_first, only_second = pairs(first, second)
    lone = lone_rows({"A": only_first, "B": only_second}, titles([*first, *second]))
    if not lone.empty:
        show(lone, "in one folder only")
    differing, both = run_rows(found), sum(len(pair.first) for pair in found)
    if not differing.empty:
        show(differing.rename(columns={"first": "A", "second": "B", "difference": "B − A"}), "runs that differ")
    say(f"{both} runs in both, {both - len(differing)} of them with exactly the same main metric")
    every = [compared(pair) for pair in found]
    if every:
        show_groups(group_frame(every, known.correction), known.correction)
    if every and known.detail:
        show_seeds(seed_frame(every, SEED_TESTS[known.seed_test], known.correction), known.correction, known.seed_test)
        show_answers(answer_frame(every, known.correction), known.correction)
        show_overall(overall_frame(every))
    return 0


def report_command(arguments: list[str]) -> int:
    """One page with all tables and figures."""
    parser = ArgumentParser(prog="python -m results report", description="One HTML page with all tables and figures.")
    parser.add_argument("--made", type=Path, default=FOLDER, help="holds the tables' folders (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="default: %(default)s")
    known = parser.parse_args(arguments)
    say(f"wrote {build(known.made, known.out)}")
    return 0


def seal_command(arguments: list[str]) -> int:
    """Digests for records that were collected before they had any."""
    parser = _parser("seal", "Writes digests of the records that have none, after which a changed one is refused.")
    known = parser.parse_args(arguments)
    runs = load_runs(known.records)
    open_runs = [run for run in runs if not is_sealed(run.folder)]
    for run in open_runs:
        seal(run.folder)
    say(f"sealed {len(open_runs)} records; {len(runs) - len(open_runs)} were sealed already and are unchanged")
    return 0


def _parser(name: str, description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=f"python -m results {name}", description=description, allow_abbrev=False,
        formatter_class=RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder with run records (default: %(default)s)")
    return parser


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "list": list_command, "make": make_command, "run": run_command, "report": report_command,
    "diff": diff_command, "seal": seal_command,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run a command; the exit status."""
    name = arguments[0] if arguments and not arguments[0].startswith("-") else "list"
    if name not in COMMANDS:
        print(f"error: unknown command {name!r}; known: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[name](arguments[1:] if arguments[:1] == [name] else arguments)
    except (RecordError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
