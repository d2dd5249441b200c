"""Checkpoints that survive a kill at any moment, and the states of all random number generators."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.files import write_atomic

LAST, PREVIOUS, BEST, PENDING = "last.ckpt", "previous.ckpt", "best.ckpt", "best.pending.ckpt"

DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError)
"""What reading a damaged file raises."""


class CheckpointError(RuntimeError):
    """Checkpoints that a run cannot go on from. The message says what to delete."""


def rng_state() -> dict[str, Any]:
    """States of Python's, NumPy's and torch's generators in this process."""
    _, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [keys.tolist(), *rest],  # pyright: ignore[reportAttributeAccessIssue]
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_rng_state(state: dict[str, Any]) -> None:
    """Bring all generators back to where :func:`rng_state` found them."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    keys, *rest = state["numpy"]
    np.random.set_state(("MT19937", np.asarray(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


class Checkpoints:
    """The files ``last``, ``previous`` and ``best`` in the folder of a run.

    The best weights are written as *pending* first and take the place of ``best`` only once ``last`` knows of them, so
    ``best`` never comes from a future that a resumed run has not reached.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, state: dict[str, Any], best: dict[str, Any] | None = None) -> None:
        """Write ``last`` (keeping the one before as ``previous``), and `best` where there are new best weights."""
        if best is not None:
            write_atomic(self.folder / PENDING, lambda path: torch.save(best, path))
        new = self.folder / f".{LAST}.new"
        write_atomic(new, lambda path: torch.save(state, path))
        if (self.folder / LAST).exists():
            os.replace(self.folder / LAST, self.folder / PREVIOUS)
        os.replace(new, self.folder / LAST)
        if best is not None:
            os.replace(self.folder / PENDING, self.folder / BEST)

    def load(self) -> dict[str, Any] | None:
        """The newest readable checkpoint, on the CPU; None where there is none. Warns when it had to step back.

        Raises:
            CheckpointError: when checkpoints exist but none can be read.
        """
        broken: list[str] = []
        for name in (LAST, PREVIOUS):
            path = self.folder / name
            if not path.exists():
                continue
            try:
                state = _read(path)
            except DAMAGE as error:
                broken.append(f"{path} ({type(error).__name__})")
                continue
            if broken:
                warnings.warn(f"damaged checkpoint {broken[0]}; resuming from {path}", stacklevel=2)
            self._settle_best(state["selection"]["best_step"])
            return state
        if broken:
            raise CheckpointError(f"no readable checkpoint: {'; '.join(broken)}. Delete {self.folder} to start again")
        return None

    def best(self, step: int) -> dict[str, Any]:
        """The best weights, which must be those of `step`.

        Raises:
            CheckpointError: they are missing, damaged or of another step.
        """
        path = self.folder / BEST
        if not path.exists():
            raise CheckpointError(f"{path} is missing. Delete {self.folder} to start again")
        try:
            state = _read(path)
        except DAMAGE as error:
            raise CheckpointError(f"{path} is damaged. Delete {self.folder} to start again") from error
        if state["step"] != step:
            raise CheckpointError(f"{path} is of step {state['step']}, not {step}. Delete {self.folder} to start again")
        return state

    def clear(self) -> None:
        """Delete all of them: for a run that has ended and keeps its weights elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_good(self) -> str:
        """``checkpoints/last.ckpt`` where it exists, else an empty string."""
        return f"{self.folder.name}/{LAST}" if (self.folder / LAST).exists() else ""

    def _settle_best(self, best_step: int) -> None:
        pending = self.folder / PENDING
        if pending.exists() and _read(pending)["step"] == best_step:
            os.replace(pending, self.folder / BEST)
        pending.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    # torch.load does not compare the checksums that torch.save wrote.
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"checksum of {damaged}")
    return torch.load(path, map_location="cpu", weights_only=True)
