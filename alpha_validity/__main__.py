"""Command line: ``python -m alpha_validity [run|table] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from alpha_validity.config import PRESETS, VARIANTS, variant
from common.command import StepCommand
from common.training.config import RuntimeConfig
from results.reader import RecordError, load_run

MORE = """
Beside the variants below: any rule, with endings that add up (dm_equal_softmax).
"""


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table."""
    from results.table5_alpha_validity.make import show

    show([load_run(folder) for folder in folders])


COMMAND = StepCommand(
    module="alpha_validity", title="Does α say which stream mattered?", presets=PRESETS, variant=variant,
    variants=VARIANTS, more=MORE, table=("dm", "dm_free_equal", "gated", "li"), finish=finish, errors=(RecordError,),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
