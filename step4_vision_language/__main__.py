"""Command line of step 4: ``python -m step4_vision_language [run|table|caption|answer|retrieve] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from common.command import StepCommand
from common.training.config import RuntimeConfig
from results.reader import RecordError, load_run
from step4_vision_language.config import PRESETS, VARIANTS, variant

MORE = """
Beside the variants below: any rule (gmu), at the output or in every layer as it can.
"""
SHOWN = {
    "test_bleu_4": "BLEU-4", "test_cider_d": "CIDEr-D", "test_accuracy": "accuracy", "test_perplexity": "perplexity",
    "test_text_to_image_recall_10": "R@10",
}  # fmt: skip


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table."""
    from results.summary import summary
    from results.terminal import print_text

    runs = [load_run(folder) for folder in folders]
    shown = {key: header for key, header in SHOWN.items() if all(key in run.final for run in runs)}
    print_text(summary(runs, shown), f"step 4, {preset}: test split")


COMMAND = StepCommand(
    module="step4_vision_language", title="Step 4: vision and language.", presets=PRESETS, variant=variant,
    variants=VARIANTS, more=MORE, table=("no_image", "projector", "dm", "li"), finish=finish, errors=(RecordError,),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
