"""Write on from a prompt with a trained run, and show what each stream contributed to every token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.text import Text

from common.data.language.prefixes import FILE, PrefixStreams
from common.models.causal_lm import MultiStreamGPT2LMHeadModel
from common.models.sampling import SamplingOptions
from common.tint import COLOURS, tinted_row
from common.training.evaluate import resolve_device
from common.training.record import damage_named, settings_of_run
from step3_gpt.run import STEP


@dataclass(frozen=True, kw_only=True)
class Options(SamplingOptions):
    """How a text is written on."""

    run: Path
    """Folder of a finished run."""
    prompt: str
    """Text to begin with; empty: the beginning of a document."""
    max_new_tokens: int = 60
    """Tokens to write at most."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""


@dataclass(frozen=True)
class Written:
    """Prompt and new tokens as text; contributions: stream (and ``state``) -> share per new token, mean over sites."""

    prompt: str
    tokens: list[str]
    contributions: dict[str, np.ndarray]


def load_run(folder: Path) -> MultiStreamGPT2LMHeadModel:
    """Model of a finished run, with its streams.

    Raises:
        FileNotFoundError: the folder is no finished run of this step, or one of a control, which has nothing to say of
            new words.
        ValueError: a file of it is damaged.
    """
    settings_of_run(folder, STEP)
    model = folder / "model"
    if not (model / FILE).is_file():
        raise FileNotFoundError(f"{folder} is a control, whose streams are drawn for its corpus; take another run")
    with damage_named(folder):
        loaded = MultiStreamGPT2LMHeadModel.from_pretrained(model).eval()
        return loaded.load_streams(PrefixStreams.from_pretrained(model))


@torch.no_grad()
def write(model: MultiStreamGPT2LMHeadModel, options: Options) -> Written:
    """Generate, then read the whole text once more for the contributions.

    Raises:
        ValueError: prompt and new tokens are longer than the model's context.
    """
    streams = model.streams
    assert streams is not None
    tokenizer = streams.tokenizer
    begin = [tokenizer.eos_token_id, *tokenizer(options.prompt)["input_ids"]]
    longest = model.config.get_text_config().n_positions
    if len(begin) + options.max_new_tokens > longest:
        raise ValueError(
            f"{len(begin)} tokens of prompt and {options.max_new_tokens} new ones are more than the {longest} that the "
            "model reads; shorten one of them"
        )
    torch.manual_seed(options.seed)
    ids = torch.tensor([begin], device=model.device)
    whole = model.generate(  # pyright: ignore[reportAttributeAccessIssue]
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.max_new_tokens, **options.of_generate()
    )
    output = model(whole, report=True, **streams.batch(whole))
    # The token at t was predicted at t - 1.
    shares = {
        name: value.float().mean(0)[0, len(begin) - 1 : -1].cpu().numpy()
        for name, value in (output.contributions or {}).items()
    }
    new = [tokenizer.decode([token]) for token in whole[0, len(begin) :].tolist()]
    return Written(options.prompt, new, shares)


def show(written: Written, console: Console) -> None:
    """Print the text, then a line per stream in which every new token is tinted by the stream's contribution."""
    console.print(Text.assemble((written.prompt, "bold"), "".join(written.tokens)))
    console.print()
    visible = [token.replace("\n", "⏎") for token in written.tokens]
    for (stream, values), colour in zip(written.contributions.items(), COLOURS, strict=False):
        console.print(tinted_row(stream, visible, values, colour, gap=""))


def main(arguments: list[str]) -> int:
    """``python -m step3_gpt generate --run PATH --prompt "text"``"""
    options = tyro.cli(Options, args=arguments, prog="python -m step3_gpt generate", description=__doc__)
    device = resolve_device(options.device)
    model = load_run(options.run)
    model.to(device)  # pyright: ignore[reportArgumentType]
    show(write(model, options), Console())
    return 0
