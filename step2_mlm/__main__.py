"""Command line of step 2: ``python -m step2_mlm [run|table] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from common.command import StepCommand
from common.training.config import RuntimeConfig
from common.variants import CONTROLS, MORE_ROWS, RULES, row
from results.reader import RecordError, load_run
from step2_mlm.config import PRESETS

MORE = f"""
Beside the variants below: {MORE_ROWS} (dm[meaning+phonetic]).
"""


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table."""
    from results.summary import summary
    from results.terminal import print_text

    shown = {"test_perplexity": "perplexity", "test_accuracy": "accuracy"}
    print_text(
        summary([load_run(folder) for folder in folders], shown), f"step 2, {preset}: masked tokens of the test split"
    )


COMMAND = StepCommand(
    module="step2_mlm", title="Step 2: masked language modelling with integrated streams.", presets=PRESETS,
    variant=row, variants=(*CONTROLS, *RULES), more=MORE, table=("meaning", "dm", "li"), finish=finish,
    errors=(RecordError,),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
