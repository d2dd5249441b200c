"""Reads the mixing weights that a finished run ended with; its record is enough."""

from __future__ import annotations

import csv
from pathlib import Path

from common.files import read_json
from common.integration.config import IntegrationConfig
from common.training.record import damage_named, is_finished
from common.transfer.config import LearntWeights


def read_source(folder: Path) -> tuple[str, IntegrationConfig, LearntWeights]:
    """Name, rule and mixing weights of the run in `folder`.

    A record's trace holds α, γ and gates after each evaluation, in digits that give back every fp32 number; the step
    whose weights a run keeps is always among them.

    Raises:
        FileNotFoundError: no finished run.
        ValueError: it has no mixing weights, or none that it learnt.
    """
    if not is_finished(folder) or not (folder / "alphas.csv").is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished run; name the folder of one, such as runs/STEP/dm-…, or of its record"
        )
    with damage_named(folder):
        head, best = read_json(folder / "config.json"), read_json(folder / "final.json").get("best_step")
        name, rule = f"{head['step']}/{head['name']}-{head['hash']}", IntegrationConfig(**head["config"]["integration"])
    if best is None:
        raise ValueError(f"{name} does not say which weights it kept; name a run of dm that writes or predicts text")
    if not rule.train_alpha:
        raise ValueError(f"{name} learnt no mixing weights, as its own were frozen; name a run that did")
    found: dict[str, dict[str, dict[int, float]]] = {}  # quantity -> stream -> site -> value
    with open(folder / "alphas.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["step"]) == best:
                sites = found.setdefault(row["quantity"], {}).setdefault(row["stream"], {})
                sites[int(row["site"])] = float(row["value"])
    if "alpha" not in found:
        raise ValueError(f"{name} recorded no α (rule {rule.rule}); name a run of dm that writes or predicts text")
    columns = [_by_site(values) for values in found["alpha"].values()]
    gamma, gate = (_by_site(found.get(quantity, {}).get("state", {})) for quantity in ("gamma", "gate"))
    return name, rule, LearntWeights(tuple(found["alpha"]), tuple(zip(*columns, strict=True)), gamma, gate)


def _by_site(values: dict[int, float]) -> tuple[float, ...]:
    return tuple(value for _, value in sorted(values.items()))
