"""Command line of step 4: ``python -m step4_vision_language [run|table|caption|answer|retrieve] …``."""

from __future__ import annotations

import sys
from pathlib import Path

from common.command import StepCommand
from common.training.config import RuntimeConfig
from results.reader import RecordError, load_run
from step4_vision_language.config import PRESETS, VARIANTS, variant

MORE = """
  python -m step4_vision_language caption --run PATH --image FILE [options]   says what a picture shows
  python -m step4_vision_language answer --run PATH --image FILE --question "text" [options]   answers a question
  python -m step4_vision_language retrieve --run PATH --folder DIR --text "text" [options]   finds pictures, or texts
`--folder DIR` and `--batch FILE.jsonl` take many pictures, questions or searches; `--out FILE` keeps what was found or
written, `--out FILE.html` of caption and answer in a page that shows the part of each stream.

Beside the variants below: any rule (gmu), at the output or in every layer as it can, and any rule or fusion with the
pictures of other samples (projector_swapped). dm_transfer, dm_frozen_random, dm_frozen_equal: DM with frozen mixing
weights, those of --transfer.source RUN.
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


def caption(arguments: list[str]) -> int:
    """``python -m step4_vision_language caption …``"""
    from step4_vision_language.infer import caption

    return caption(arguments)


def answer(arguments: list[str]) -> int:
    """``python -m step4_vision_language answer …``"""
    from step4_vision_language.infer import answer

    return answer(arguments)


def retrieve(arguments: list[str]) -> int:
    """``python -m step4_vision_language retrieve …``"""
    from step4_vision_language.retrieve import retrieve

    return retrieve(arguments)


COMMAND = StepCommand(
    module="step4_vision_language", title="Step 4: vision and language.", presets=PRESETS, variant=variant,
    variants=VARIANTS, more=MORE, table=("no_image", "projector", "dm", "li"), finish=finish, errors=(RecordError,),
    others={"caption": caption, "answer": answer, "retrieve": retrieve},
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
