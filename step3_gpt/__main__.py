"""Command line of step 3: ``python -m step3_gpt [run|table|generate] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from common.command import StepCommand
from common.training.config import RuntimeConfig
from common.variants import MORE_ROWS
from results.reader import RecordError, load_run
from step3_gpt.config import PRESETS, VARIANTS, variant

MORE = f"""
  python -m step3_gpt generate --run PATH --prompt "text" [options]   writes on, with the part of each stream

Beside the variants below, each with its option behind it (gmu_a): any rule, {MORE_ROWS} (dm[meaning+phonetic]_b).
dm_transfer_b, dm_frozen_random_b, dm_frozen_equal_b: DM with frozen mixing weights, those of --transfer.source RUN.
"""


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table."""
    from results.summary import summary
    from results.terminal import print_text

    shown = {
        "test_bits_per_byte": "bits/byte", "test_word_perplexity": "word ppl", "test_token_perplexity": "token ppl"
    }  # fmt: skip
    print_text(summary([load_run(folder) for folder in folders], shown), f"step 3, {preset}: test split")


def generate(arguments: list[str]) -> int:
    """``python -m step3_gpt generate …``"""
    from step3_gpt.generate import main

    return main(arguments)


COMMAND = StepCommand(
    module="step3_gpt", title="Step 3: multi-stream GPT-2.", presets=PRESETS, variant=variant, variants=VARIANTS,
    more=MORE, table=("meaning", "dm_b", "li_b"), finish=finish, errors=(RecordError,), others={"generate": generate},
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
