"""Settings of every test: no network, one thread, the same random numbers each time."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch

torch.set_num_threads(1)

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _same_random_numbers():
    torch.manual_seed(0)


@pytest.fixture
def auto_asked_once(monkeypatch):
    """Nobody but `fit` asks what precision ``auto`` is: asked anew, it may come out otherwise."""
    from common.training import precision

    resolve = precision.resolve_precision

    def resolved(asked: str, device: torch.device) -> str:
        assert asked != "auto"
        return resolve(asked, device)

    monkeypatch.setattr(precision, "resolve_precision", resolved)  # as autocast() calls it; fit() imported it before


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
