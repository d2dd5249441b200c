"""Makes run folders in the format of real records, from a few knobs and random numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

WORDS = {"not": 30, "n't": 12, "very": 25, "so": 40, "film": 60, "dull": 3, "gauzy": 1, "limpid": 1, ",": 90, "1995": 2}
PLANTED = [["meaning", 0.5], ["phonetic", 0.3], ["morphological", 0.2]]
WITHOUT_ALPHA = ("li", "li_soma", "concat")


class RecordFactory:
    """``factory(root, name, seed, accuracy=0.5, ...)`` writes a run folder and returns it."""

    def __call__(
        self,
        root: Path,
        name: str,
        seed: int,
        accuracy: float = 0.5,
        dataset: str = "sst5",
        backbone: str = "minilm",
        examples: int = 120,
        classes: int = 5,
        sites: int = 6,
        status: str = "finished",
        lr: float = 1e-4,
        fingerprint: str = "f00d",
        fraction: float = 1.0,
        precision: str = "",
        **final: float,
    ) -> Path:
        rule, _, subset = name.partition("[")
        streams = subset.removesuffix("]").split("+") if subset else ["meaning", "phonetic", "morphological"]
        if name == "meaning":
            rule, streams = "reference", ["meaning"]
        if name == "duplicate":
            streams = ["meaning", "duplicate_of_phonetic", "duplicate_of_morphological"]
        part = fraction < 1  # records on all data were written before there were others
        control = name if name == "shuffled" else "none"
        config = {
            "name": name, "backbone": backbone, "use_meaning": "meaning" in streams,
            "streams": [
                {"kind": stream.split("_")[0], "name": stream, "control": control}
                for stream in streams if stream != "meaning"
            ],
            "integration": {"rule": "dm" if name in ("duplicate", "shuffled") else rule},
            "data": {"name": dataset, "seed": 0, "planted_shares": PLANTED}
            | ({"train_fraction": fraction} if part else {}),
            "train": {"seed": seed, "epochs": 3, "lr_backbone": lr} | ({"precision": precision} if precision else {}),
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(config).encode()).hexdigest()[:12]
        config["train"] |= {"select_metric": "accuracy", "select_mode": "max"}
        folder = root / "step1_sentiment" / f"{name}-{digest}"
        folder.mkdir(parents=True)
        random = np.random.default_rng(int(digest, 16))
        _json(folder / "config.json", {"step": "step1_sentiment", "name": name, "hash": digest, "config": config})
        _json(folder / "status.json", {"status": status, "step": 640, "message": "", "last_good_checkpoint": ""})
        _json(folder / "environment.json", {
            "cpu": "Test CPU", "gpu": "", "torch": "2.15.0", "git_dirty": seed == 1,
            "data_source": f"made-up {dataset}", "backbone_source": f"made-up {backbone}",
            "data_fingerprint": fingerprint,
            **({"data_train_examples": round(8000 * fraction), "data_train_examples_whole": 8000} if part else {}),
        })  # fmt: skip
        if status != "finished":
            return folder
        reached = {}
        for split in ("validation", "test"):
            frame = _predictions(np.random.default_rng(7), random, examples, classes, accuracy)
            frame.to_parquet(folder / f"predictions_{split}.parquet", index=False)
            right = frame[[f"p_{k}" for k in range(classes)]].to_numpy().argmax(1) == frame["label"]
            reached[f"{split}_accuracy"] = float(right.mean())
        _json(folder / "final.json", {
            **reached, "best_step": 640, "steps": 640, "parameters": 22_000_000 + 900_000 * len(streams),
            "parameters_integration": 1_000_000 * (rule != "reference"),
            "parameters_streams": 800_000 * (len(streams) - 1),
            "flops_per_token": 21.5e6 + 1e6 * len(streams), "step_time_ms": 80.0 + random.normal(), **final,
        })  # fmt: skip
        metrics = [
            (step, step / 200, "validation", "accuracy", accuracy * (1 - 0.5**k))
            for k, step in enumerate((200, 400, 640))
        ]
        pd.DataFrame(metrics, columns=["step", "epoch", "split", "metric", "value"]).to_csv(
            folder / "metrics.csv", index=False
        )
        _traces(random, streams, sites, rule).to_csv(folder / "alphas.csv", index=False)
        if len(streams) > 1:
            words = [
                (word, count, stream, share, 4 * count)
                for word, count in WORDS.items()
                for stream, share in zip(["state", *streams], random.dirichlet([4] * (len(streams) + 1)), strict=True)
            ]
            pd.DataFrame(words, columns=["word", "count", "stream", "contribution", "train_count"]).to_parquet(
                folder / "words.parquet"
            )
            _json(folder / "importance.json", _importance(random, streams, accuracy))
        return folder


def _predictions(fixed, random, examples: int, classes: int, accuracy: float) -> pd.DataFrame:
    labels = fixed.integers(classes, size=examples)  # the same in every record
    difficulty = fixed.random(examples)
    right = difficulty + 0.2 * random.normal(size=examples) < accuracy
    chosen = np.where(right, labels, (labels + 1) % classes)
    scores = random.normal(size=(examples, classes)) * 0.1
    scores[np.arange(examples), chosen] += 2
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    columns = {f"p_{k}": shares[:, k].astype(np.float32) for k in range(classes)}
    return pd.DataFrame({"example": np.arange(examples), "label": labels, **columns})


def _traces(random, streams: list[str], sites: int, rule: str) -> pd.DataFrame:
    rows = []
    for step in (0, *(2**k for k in range(10)), 640):
        grown = step / 640
        for site in range(sites):
            weight = {s: float(k == 0) + grown * random.normal(0.2 * k, 0.05) for k, s in enumerate(streams)}
            if rule not in (*WITHOUT_ALPHA, "reference"):
                rows += [(step, "alpha", stream, site, value) for stream, value in weight.items()]
                rows += [(step, "gamma", "state", site, 0.3 * grown)] * (site > 0)
            if rule != "reference":
                terms = {stream: abs(value) for stream, value in weight.items()} | {"state": 0.3 * grown * (site > 0)}
                rows += [
                    (step, "contribution", stream, site, value / sum(terms.values())) for stream, value in terms.items()
                ]
    return pd.DataFrame(rows, columns=["step", "quantity", "stream", "site", "value"])


def _importance(random, streams: list[str], accuracy: float) -> dict:
    drops = {stream: 0.2 / (k + 1) + 0.01 * random.random() for k, stream in enumerate(streams)}
    return {
        "split": "validation", "accuracy_full": accuracy, "chance": 0.25,
        "leave_one_out": {
            way: {stream: accuracy - share * drop for stream, drop in drops.items()}
            for way, share in (("zero", 1.0), ("mean", 0.8), ("permutation", 1.2))
        },
        "shapley": drops,
    }  # fmt: skip


def _json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="session")
def record() -> RecordFactory:
    return RecordFactory()


ACCURACY = {
    "meaning": 0.42,
    "duplicate": 0.42,
    "shuffled": 0.41,
    "dm": 0.5,
    "dm_linear": 0.47,
    "li": 0.46,
    "concat": 0.44,
}


@pytest.fixture(scope="session")
def records(tmp_path_factory, record) -> Path:
    """Three seeds of some variants on SST-5, one seed on TREC, two on planted data, one failed run."""
    root = tmp_path_factory.mktemp("records")
    for name, accuracy in ACCURACY.items():
        for seed in range(3):
            record(root, name, seed, accuracy)
    for seed in range(2):
        record(root, "dm[phonetic]", seed, 0.3)
        record(root, "dm[morphological]", seed, 0.31)
        record(root, "li[meaning+phonetic]", seed, 0.45)
        record(root, "meaning", seed, 0.6, dataset="planted", classes=2)
        record(root, "dm", seed, 0.9, dataset="planted", classes=2)
    record(root, "meaning", 0, 0.8, dataset="trec", classes=6)
    record(root, "dm", 0, 0.82, dataset="trec", classes=6)
    record(root, "li_soma", 0, status="failed")
    return root
