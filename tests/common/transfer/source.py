"""The record of a finished DM run, as far as a transfer reads it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from common.integration import IntegrationConfig


def write_source(
    folder: Path,
    streams: tuple[str, ...] = ("meaning", "phonetic", "morphological"),
    sites: int = 2,
    status: str = "finished",
    seed: int = 0,
    **rule: Any,
) -> Path:
    """Write it, with random fp32 weights at the best step and other ones after it; returns `folder`."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    config = {"integration": asdict(IntegrationConfig(**rule)), "train": {"seed": seed}}
    for name, content in {
        "config": {"step": "step3_gpt", "name": "dm_b", "hash": "0123456789ab", "config": config},
        "status": {"status": status}, "final": {"best_step": 4},
    }.items():  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(content))
    lines = ["step,quantity,stream,site,value"]
    for step in (0, 4, 6):
        rows = [("alpha", stream, site) for stream in streams for site in range(sites)]
        rows += [("gamma", "state", site) for site in range(1, sites)]
        rows += [("gate", "state", site) for site in range(sites - 1)]
        lines += [f"{step},{','.join(map(str, row))},{float(np.float32(random.normal()))}" for row in rows]
    (folder / "alphas.csv").write_text("\n".join(lines) + "\n")
    return folder
