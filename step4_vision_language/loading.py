"""A finished run, ready to be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

from common.training.record import damage_named, settings_of_run
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import TextProcessor

STEP = "step4_vision_language"


def settings_of(folder: Path) -> dict[str, Any]:
    """The config with which the run in `folder` was trained.

    Raises:
        FileNotFoundError: it is no finished run of this step.
        ValueError: its record is damaged.
    """
    return settings_of_run(folder, STEP)


def load_run(folder: Path) -> tuple[VisionLanguageModel, TextProcessor]:
    """Model of a finished run, and what writes its texts.

    Raises:
        FileNotFoundError: the folder is no finished run of this step.
        ValueError: a file of it is damaged.
    """
    settings = settings_of(folder)
    logging.disable_progress_bar()
    with damage_named(folder):
        model = VisionLanguageModel.from_pretrained(folder / "model").eval()
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
        return model, TextProcessor(tokenizer, model.fusion.tokens, settings["train"]["max_length"])


def load_dual(folder: Path, model: VisionLanguageModel, processor: TextProcessor) -> DualEncoder:
    """What compares pictures and texts of a finished run.

    Raises:
        FileNotFoundError: the run was not trained to compare them.
        ValueError: the file is damaged.
    """
    path, settings = folder / "model" / "dual.safetensors", settings_of(folder)
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} was not trained to compare pictures and texts; take a run with --objective retrieve"
        )
    with damage_named(folder):
        width = model.config.get_text_config().hidden_size
        dual = DualEncoder(width, settings["embedding"], settings["siglip"], processor.end_id)
        dual.load_state_dict(load_file(path))
        return dual.eval()
