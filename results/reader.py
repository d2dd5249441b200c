"""Reads run records (``runs/<step>/*`` or ``results/records/<step>/*``) into plain objects and tidy frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from results.integrity import RecordError, sha256, verify
from results.record_files import broken, read_csv, read_json, read_parquet

RECORDS = Path(__file__).parent / "records"
"""Where the committed records live."""

METRIC_COLUMNS = ("step", "epoch", "split", "metric", "value")
TRACE_COLUMNS = ("step", "quantity", "stream", "site", "value")
TOKEN_COLUMNS = ("place", "token", "nll", "train_count", "morphemes", "homophone")
ROBUSTNESS_COLUMNS = ("example", "kind", "rate", "draw", "without", "label", "predicted", "changed")
WORD_COLUMNS = ("word", "count", "stream", "contribution", "train_count")


@dataclass(frozen=True)
class Run:
    """One run. Files other than config, status and final are read when first asked for."""

    folder: Path
    config: dict[str, Any]
    """Content of config.json: step, name, hash, config."""
    status: dict[str, Any]
    """Content of status.json: status, step, message, last_good_checkpoint."""
    final: dict[str, Any]
    """Content of final.json; empty while the run is not finished."""

    @property
    def name(self) -> str:
        """The variant, for example ``dm``."""
        return self.config["name"]

    @property
    def settings(self) -> dict[str, Any]:
        """The step's config."""
        return self.config["config"]

    @property
    def seed(self) -> int:
        return int(self.settings["train"]["seed"])

    @property
    def dataset(self) -> str:
        """Name of the data; of a folder its own name."""
        data = self.settings["data"]
        return Path(data["path"]).name if data["name"] == "folder" and data.get("path") else data["name"]

    @property
    def train_fraction(self) -> float:
        """Share of the training data that the run saw; a record without it has seen all."""
        return float(self.settings.get("data", {}).get("train_fraction", 1.0))

    @property
    def number_format(self) -> str:
        """In which the forward passes of training were computed; ``auto`` where only the machine's choice was asked for
        and the record does not say which that was.
        """
        return self.environment.get("precision") or self.settings["train"].get("precision", "fp32")

    @property
    def backbone(self) -> str:
        return self.settings.get("backbone", "")

    @property
    def rule(self) -> str:
        return self.settings.get("integration", {}).get("rule", "")

    @property
    def secondary(self) -> tuple[str, ...]:
        """Names of the secondary streams, in order; a plain model matched to one with streams has none."""
        if self.settings.get("match", "none") != "none":
            return ()
        return tuple(stream.get("name") or stream["kind"] for stream in self.settings.get("streams", ()))

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of all integrated streams, the backbone's own first."""
        return (("meaning",) if self.settings.get("use_meaning", True) else ()) + self.secondary

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Content of environment.json."""
        return read_json(self.folder / "environment.json")

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Columns step, epoch, split, metric, value."""
        return read_csv(self.folder / "metrics.csv", METRIC_COLUMNS)

    @cached_property
    def alphas(self) -> pd.DataFrame:
        """Columns step, quantity (alpha, gamma, contribution, gradient), stream, site, value."""
        return read_csv(self.folder / "alphas.csv", TRACE_COLUMNS)

    @cached_property
    def importance(self) -> dict[str, Any] | None:
        """Content of importance.json, None where the run has none."""
        path = self.folder / "importance.json"
        return read_json(path) if path.exists() else None

    @cached_property
    def words(self) -> pd.DataFrame | None:
        """Columns word, count (in test), stream, contribution, train_count; None where the run has none."""
        path = self.folder / "words.parquet"
        return read_parquet(path, WORD_COLUMNS) if path.exists() else None

    @cached_property
    def robustness(self) -> tuple[dict[str, Any], pd.DataFrame] | None:
        """Content of robustness.json, and the predictions on perturbed texts: columns example, kind, rate, draw,
        without (streams taken out), label, predicted, changed (words). None where the run has none.
        """
        path = self.folder / "robustness.json"
        if not path.exists():
            return None
        summary, frame = read_json(path), read_parquet(path.with_suffix(".parquet"), ROBUSTNESS_COLUMNS)
        if summary.get("predictions_sha256") != sha256(path.with_suffix(".parquet")):
            raise RecordError(f"{path} is not of the predictions beside it; evaluate {self.folder} again")
        return summary, frame

    def predictions(self, split: str = "test") -> pd.DataFrame:
        """Columns label, p_0 ... p_{K-1}, indexed by example in ascending order."""
        path = self.folder / f"predictions_{split}.parquet"
        frame = read_parquet(path, ("example", "label", "p_0")).set_index("example").sort_index()
        if not frame.index.is_unique:
            raise broken(path, "an example stands in it twice")
        return frame

    def tokens(self, split: str = "test") -> pd.DataFrame:
        """Of a language model: columns place, token, nll (nats), train_count, morphemes, homophone and more, a row per
        predicted token.
        """
        return read_parquet(self.folder / f"predictions_{split}.parquet", TOKEN_COLUMNS)

    def correct(self, split: str = "test") -> np.ndarray:
        """Whether each example was right, boolean ``[E]``."""
        frame = self.predictions(split)
        return probabilities(frame).argmax(1) == frame["label"].to_numpy()


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """The class probabilities ``[E, K]`` of a predictions frame, classes in order."""
    classes = sum(str(column).startswith("p_") for column in predictions.columns)
    return predictions[[f"p_{k}" for k in range(classes)]].to_numpy(dtype=np.float64)


def load_run(folder: str | Path) -> Run:
    """The record in `folder`.

    Raises:
        RecordError: when it is no run folder, or a file of a finished run is missing or corrupt, or was changed since
            it was collected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordError(f"there is no folder {folder}; give the folder of a run")
    verify(folder)
    config = read_json(folder / "config.json")
    absent = {"step", "name", "hash", "config"} - set(config)
    if absent:
        raise broken(folder / "config.json", f"it lacks {', '.join(sorted(absent))}")
    status = read_json(folder / "status.json")
    finished = status.get("status") == "finished"
    return Run(folder, config, status, read_json(folder / "final.json") if finished else {})


def load_runs(root: str | Path, finished_only: bool = True) -> list[Run]:
    """All runs below `root`, ordered by step, name, seed and folder.

    Args:
        root: folder of records, of one step or of all.
        finished_only: leave out runs that still run, failed or were interrupted.

    Raises:
        RecordError: when `root` does not exist, or the record of a run is corrupt.
    """
    root = Path(root)
    if not root.is_dir():
        raise RecordError(f"{root} is no folder; give the folder that holds the run records")
    # Only run folders have a status.json: saved models below them have a config.json too.
    found = [path.parent for path in sorted(root.rglob("status.json"))]
    # What is still being collected, or was when that was interrupted, is no record yet.
    runs = [load_run(folder) for folder in found if folder.suffix != ".tmp"]
    kept = [run for run in runs if run.status.get("status") == "finished" or not finished_only]
    return sorted(kept, key=lambda run: (run.config["step"], run.name, run.seed, str(run.folder)))


def recorded(runs: Iterable[Run]) -> str:
    """Names of the runs' folders, for a reader who wants to look a number up."""
    return " ".join(run.folder.name for run in runs)


def where(frame: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    """The rows of `frame` whose columns have the wanted values (a list stands for any of them)."""
    for column, value in wanted.items():
        frame = frame.loc[frame[column].isin(value if isinstance(value, list) else [value])]
    return frame


def traces(runs: Iterable[Run]) -> pd.DataFrame:
    """The traces of many runs in one frame, with columns variant and seed beside those of :attr:`Run.alphas`."""
    frames = [run.alphas.assign(variant=run.name, seed=run.seed) for run in runs]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*TRACE_COLUMNS, "variant", "seed"])
