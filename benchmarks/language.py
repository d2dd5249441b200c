"""What three streams cost a GPT-2, in training and in cached generation, and how its own path compares with nanoGPT.

    python -m benchmarks.language [--nanogpt PATH] [--out results/records/benchmarks/language.json]

`--nanogpt` names a folder with the `model.py` of https://github.com/karpathy/nanoGPT. Every arm trains with fused AdamW
and gradient clipping on windows of Python's own documentation; ``dm_b, loading`` takes a new batch from the corpus in
every step, the others the same one. Ratios are made from the medians of one run, in which the arms take turns
(``benchmarks.alternate``).
"""

from __future__ import annotations

import importlib.util
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import torch
import tyro
from torch import Tensor, nn
from transformers import LogitsProcessor, LogitsProcessorList

from benchmarks.alternate import alternate, serve
from benchmarks.report import machine, write_report
from common.data.language.prefixes import PrefixStreams
from common.models.gpt2_size import SizeConfig
from common.training.config import RuntimeConfig
from common.training.precision import autocast, resolve_precision
from step3_gpt.config import GPTConfig, paper, quick, variant
from step3_gpt.data import GPTData, build_data
from step3_gpt.model import build_model
from step3_gpt.task import INPUTS_ONLY

NANOGPT, REFERENCE, LOADING = "nanoGPT", "meaning", "dm_b, loading"


@dataclass(frozen=True)
class Settings:
    """Shape of the benchmark."""

    nanogpt: Path | None = None
    """Folder with nanoGPT's model.py; without it that arm is left out."""
    batch: int = 4
    """Windows per batch."""
    context: int = 256
    """Tokens of a window."""
    size: SizeConfig = paper().size
    """Size of the backbone; GPT-2 small unless another is given."""
    vocabulary: int = 50_304
    """Entries of embeddings and head, as in nanoGPT; the text uses fewer."""
    steps: int = 2
    """Timed steps of a turn."""
    rounds: int = 4
    """Turns of each arm."""
    new_tokens: int = 64
    """Tokens that a step of generation writes, from a prompt of as many; every arm is made to write the documentation
    on, since the streams of what untrained weights would choose are not those of words."""
    precision: str = "auto"
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    compile: bool = False
    """Run every training arm through torch.compile."""
    arms: tuple[str, ...] = (NANOGPT, "meaning", "dm_b", "li_b", LOADING)
    """Arms in training; `meaning` is the reference."""
    keep_freed: bool = True
    """Let glibc keep memory that was freed, as a GPU's allocator does."""
    cache: str = "~/.cache/multistream"
    """Folder of the corpus."""
    out: Path | None = None
    """Where the record goes."""


def config_of(arm: str, settings: Settings) -> GPTConfig:
    """The run whose model an arm is: streams of the preset `paper`, text of the preset `quick`."""
    base = replace(paper(), data=quick().data, size=settings.size, dropout=0.0)
    train = replace(base.train, max_length=settings.context, batch_size=settings.batch, compile=False)
    return variant(replace(base, train=train), arm.partition(",")[0])


def nanogpt_of(settings: Settings) -> nn.Module:
    """nanoGPT's own model at the same size."""
    assert settings.nanogpt is not None
    spec = importlib.util.spec_from_file_location("nanogpt_model", settings.nanogpt / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    size = settings.size
    return module.GPT(
        module.GPTConfig(
            block_size=settings.context, vocab_size=settings.vocabulary, n_layer=size.layers, n_head=size.heads,
            n_embd=size.width, dropout=0.0, bias=True,
        )
    )  # fmt: skip


class Vocabulary:
    """Stands for a tokenizer of another size."""

    def __init__(self, size: int, end: int) -> None:
        self.size, self.eos_token_id = size, end

    def __len__(self) -> int:
        return self.size


class Dictated(LogitsProcessor):
    """Leaves only the next token of a text ``[T]``, of which all written so far is the beginning."""

    def __init__(self, text: Tensor) -> None:
        self.text = text

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        only = torch.full_like(scores, -torch.inf)
        only[:, self.text[input_ids.shape[1]]] = 0.0
        return only


def load(arm: str, settings: Settings) -> tuple[GPTConfig, GPTData]:
    """Config and data of an arm."""
    config = config_of(arm, settings)
    return config, build_data(config, RuntimeConfig(cache_dir=settings.cache, progress=False))


def batches_of(data: GPTData, device: torch.device) -> Callable[[], dict[str, Tensor]]:
    """A function that makes the next batch of training windows."""
    loader = data.loaders["train"]
    chosen = cycle(loader.indices()[:-1])

    def make() -> dict[str, Tensor]:
        batch = loader.collate([int(k) for k in next(chosen)])
        return {name: value.to(device) for name, value in batch.items() if name not in INPUTS_ONLY}

    return make


def train(arm: str, settings: Settings, pipe: Connection) -> None:
    """One arm's training steps; sends peak bytes and parameters at its end."""
    torch.manual_seed(0)
    device = torch.device(settings.device)
    config, data = load(REFERENCE if arm == NANOGPT else arm, settings)
    make = batches_of(data, device)
    batch = make()
    vocabulary = Vocabulary(settings.vocabulary, data.corpus.tokenizer.eos_token_id)
    plain = arm == NANOGPT
    model: nn.Module = nanogpt_of(settings) if plain else build_model(config, vocabulary, data.vocabularies)
    if not plain:  # all arms with the activation that nanoGPT has
        for depth in cast(Any, model).backbone.base_model.h:
            depth.block.mlp.act = nn.GELU()
    nn.Module.to(model, device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    forward = torch.compile(model) if settings.compile else model

    def step() -> None:
        inputs = make() if arm == LOADING else batch
        with autocast(settings.precision, device):
            if arm == NANOGPT:
                _, loss = forward(inputs["input_ids"], inputs["shift_labels"])
            else:
                loss = forward(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    peak = serve(pipe, step, device)
    pipe.send({"peak": peak, "parameters": sum(p.numel() for p in model.parameters())})


def generate(arm: str, settings: Settings, pipe: Connection) -> None:
    """One arm's cached generation; the reference is `transformers`' GPT-2 itself."""
    torch.manual_seed(0)
    device = torch.device(settings.device)
    config, data = load(arm, settings)
    tokenizer = data.corpus.tokenizer
    vocabulary = Vocabulary(settings.vocabulary, tokenizer.eos_token_id)
    model: Any = build_model(config, vocabulary, data.vocabularies).eval()
    nn.Module.to(model, device)
    text = batches_of(data, device)()["input_ids"][0, : 2 * settings.new_tokens]
    prompt = text[None, : settings.new_tokens]
    processors = LogitsProcessorList([Dictated(text)])
    if arm == REFERENCE:
        model = model.backbone
    else:
        model.load_streams(PrefixStreams(tokenizer, config.used, data.analysers))

    def step() -> None:
        with autocast(settings.precision, device):
            model.generate(
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=settings.new_tokens,
                logits_processor=processors, do_sample=False, eos_token_id=None, pad_token_id=tokenizer.eos_token_id,
            )  # fmt: skip

    peak = serve(pipe, step, device)
    pipe.send({"peak": peak, "parameters": sum(p.numel() for p in model.parameters())})


def run(settings: Settings) -> dict:
    """All arms; medians and ratios to the reference."""
    precision = resolve_precision(settings.precision, torch.device(settings.device))
    settings = replace(settings, precision=precision)
    rows: list[dict] = []
    for mode, measure, arms in (
        ("training", train, settings.arms),
        ("generation", generate, (REFERENCE, "dm_b", "li_b")),
    ):
        arms = tuple(arm for arm in arms if arm != NANOGPT or settings.nanogpt is not None)
        load("dm_b", settings)  # built once, before the arms ask for it together
        results = alternate(arms, measure, (settings,), settings.rounds, settings.steps, settings.keep_freed)
        tokens = settings.batch * settings.context if mode == "training" else settings.new_tokens
        for arm, result in results.items():
            seconds = statistics.median(result["seconds"])
            rows.append({
                "mode": mode, "arm": arm, "tokens_per_second": tokens / seconds, "step_ms": 1000 * seconds,
                "peak_mib": result["peak"] / 2**20, "parameters": result["parameters"],
            })  # fmt: skip
        reference = next(row for row in rows if row["mode"] == mode and row["arm"] == REFERENCE)
        for row in rows:
            if row["mode"] == mode:
                row["speed_ratio"] = row["tokens_per_second"] / reference["tokens_per_second"]
                row["step_ratio"] = row["step_ms"] / reference["step_ms"]
                row["peak_ratio"] = row["peak_mib"] / reference["peak_mib"]
    shape = {key: value for key, value in asdict(settings).items() if key not in ("out", "nanogpt", "cache")}
    return {"benchmark": "language", "settings": json.loads(json.dumps(shape)), "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
