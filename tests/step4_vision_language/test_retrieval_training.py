"""Dual encoders: what belongs together is found, and texts of one picture are no negatives."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch

from common.data.vision import VisionDataConfig
from common.training.evaluate import evaluate
from step4_vision_language.build import build_model
from step4_vision_language.config import variant
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import build_data, load_texts
from step4_vision_language.run import run
from step4_vision_language.task import RetrieveTask
from tests.step4_vision_language.conftest import runtime, tiny


def built(config, cache, tmp_path):
    corpus, tokenizer = load_texts(config)
    torch.manual_seed(0)
    model = build_model(config, tokenizer)
    return model, build_data(config, runtime(cache, tmp_path), corpus, tokenizer, model)


def test_texts_of_one_picture_are_no_negatives():
    """Two texts of one picture in a batch: neither counts against the other."""
    torch.manual_seed(0)
    dual = DualEncoder(8, 4, siglip=False, end_id=0)
    pictures = torch.nn.functional.normalize(torch.randn(2, 4), dim=-1)
    texts = torch.nn.functional.normalize(torch.randn(3, 4), dim=-1)
    pictures = pictures[[0, 0, 1]]
    logits = dual.scale() * pictures @ texts.T
    logits[0, 1] = logits[1, 0] = -torch.inf
    target = torch.arange(3)
    entropy = torch.nn.functional.cross_entropy
    expected = (entropy(logits, target) + entropy(logits.T, target)) / 2
    torch.testing.assert_close(dual.compare(pictures, texts, torch.tensor([7, 7, 9])), expected)


def test_retrieval_traces_the_pictures(cache, tmp_path):
    folder = run(tiny(objective="retrieve", train=replace(tiny().train, epochs=1)), runtime(cache, tmp_path))
    traced = pd.read_csv(folder / "alphas.csv")
    assert {"alpha", "contribution", "gate"} <= set(traced["quantity"]) and {"meaning", "vision"} <= set(
        traced["stream"]
    )


@pytest.mark.parametrize("siglip", [False, True])
def test_retrieval_learns_what_belongs_together(cache, tmp_path, siglip):
    """Pictures that are told apart at once, as few as can be learnt by heart: training finds the texts of each."""
    data = VisionDataConfig(scene_sizes=(16, 16, 16))
    config = variant(tiny(objective="retrieve", data=data, train=replace(tiny().train, batch_size=40)), "projector")
    model, built_data = built(config, cache, tmp_path)
    loader, samples = built_data.loaders["train"], built_data.corpus.splits["train"]
    table = torch.randn(16, 64)
    see = built_data.pictures["train"]

    def distinct(chosen, epoch=0):
        return see(chosen, epoch) | {"seen_pooled": table[[samples.index(sample) for sample in chosen]][:, None]}

    loader.collate.see = distinct
    task = RetrieveTask(model, DualEncoder(32, 8, siglip, built_data.processor.end_id))
    optimiser = torch.optim.Adam([p for n, p in task.named_parameters() if not n.startswith("model.vision")], 3e-3)
    for epoch in range(30):
        loader.set_epoch(epoch)
        for batch in loader:
            loss, _ = task.training_forward(batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    _, scores = evaluate(task, loader, torch.device("cpu"))
    assert scores["text_to_image_recall_1"] > 0.5 and scores["image_to_text_recall_1"] > 0.5
