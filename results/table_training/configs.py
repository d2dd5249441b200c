"""What the table of training settings says of the runs of a setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from results.reader import Run


def _trained(name: str) -> Callable[[Run], Any]:
    return lambda run: run.settings["train"].get(name)


def _encoders(run: Run) -> str | None:
    """Layers and channels of the secondary streams' encoders."""
    streams = [one for one in run.settings.get("streams", ()) if "width" in one]
    return ", ".join(dict.fromkeys(f"{one['layers']} x {one['width']}" for one in streams)) or None


def _machine(run: Run) -> str:
    """The processor's maker, or the GPU, and the version of torch without its last part."""
    environment = run.environment
    maker = environment["gpu"] or environment["cpu"].split()[0].removesuffix("(R)")
    return f"{maker} {'.'.join(environment['torch'].split('.')[:2])}"


SETTINGS: dict[str, Callable[[Run], Any]] = {
    "epochs": _trained("epochs"),
    "updates": lambda run: run.final.get("steps", run.settings["train"].get("steps")),
    "batch": _trained("batch_size"),
    "tokens of a text": _trained("max_length"),
    "lr backbone": lambda run: run.settings["train"].get("lr_backbone", run.settings["train"].get("lr")),
    "lr streams": _trained("lr_streams"),
    "lr head": _trained("lr_head"),
    "lr of α ×": _trained("alpha_lr_multiplier"),
    "weight decay": _trained("weight_decay"),
    "number format": lambda run: run.number_format,
    "stream encoders": _encoders,
    "processor, torch": _machine,
}
"""Column -> its value in a run, None where it has none."""
