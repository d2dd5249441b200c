"""Command line of step 2: ``python -m step2_mlm [run|table] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from common.command import StepCommand
from common.training.config import RuntimeConfig
from common.variants import CONTROLS, RULES, row
from step2_mlm.config import PRESETS

MORE = """
Beside the variants below: a rule on a subset of streams (dm[meaning+phonetic]).
"""


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table."""
    raise NotImplementedError


COMMAND = StepCommand(
    module="step2_mlm", title="Step 2: masked language modelling with integrated streams.", presets=PRESETS,
    variant=row, variants=(*CONTROLS, *RULES), more=MORE, table=("meaning", "dm", "li"), finish=finish,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
