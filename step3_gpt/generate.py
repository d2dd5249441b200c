"""Write on from a prompt with a trained run, and show what each stream contributed to every token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.text import Text
from safetensors import SafetensorError

from common.data.language.prefixes import FILE, PrefixStreams
from common.models.causal_lm import MultiStreamGPT2LMHeadModel
from common.tint import COLOURS, tinted_row
from common.training.evaluate import resolve_device


@dataclass(frozen=True)
class Options:
    """How a text is written on."""

    run: Path
    """Folder of a finished run."""
    prompt: str
    """Text to begin with; empty: the beginning of a document."""
    max_new_tokens: int = 60
    """Tokens to write at most."""
    beams: int = 1
    """Beams of a beam search; 1 = none."""
    temperature: float = 0.0
    """Of sampling; 0 always takes the most likely token."""
    top_p: float = 0.95
    """Sampling draws from the most likely tokens that together have this probability."""
    seed: int = 0
    """Of sampling."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.beams < 1:
            raise ValueError("max_new_tokens and beams must be at least 1")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError("temperature must not be negative, and top_p is a probability above 0")


@dataclass(frozen=True)
class Written:
    """Prompt and new tokens as text; contributions: stream (and ``state``) -> share per new token, mean over sites."""

    prompt: str
    tokens: list[str]
    contributions: dict[str, np.ndarray]


def load_run(folder: Path) -> MultiStreamGPT2LMHeadModel:
    """Model of a finished run, with its streams.

    Raises:
        FileNotFoundError: the folder is no finished run, or one of a control, which has nothing to say of new words.
        ValueError: a file of it is damaged.
    """
    model = folder / "model"
    if not (model / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no trained model; name the folder of a finished run of step 3")
    if not (model / FILE).is_file():
        raise FileNotFoundError(f"{folder} is a control, whose streams are drawn for its corpus; take another run")
    try:
        loaded = MultiStreamGPT2LMHeadModel.from_pretrained(model).eval()
        return loaded.load_streams(PrefixStreams.from_pretrained(model))
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise ValueError(f"the run in {folder} is damaged ({error!r}); delete the folder and train it again") from error


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
    sampling = {"do_sample": True, "temperature": options.temperature, "top_p": options.top_p}
    ids = torch.tensor([begin], device=model.device)
    whole = model.generate(  # pyright: ignore[reportAttributeAccessIssue]
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.max_new_tokens, num_beams=options.beams,
        **(sampling if options.temperature > 0 else {"do_sample": False}),
    )  # fmt: skip
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
