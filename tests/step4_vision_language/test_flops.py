"""Costs are told by text: ways of showing a picture differ in how many positions it takes."""

from __future__ import annotations

import pytest
import torch

from common.training.flops import loader_flops
from step4_vision_language.build import build_model
from step4_vision_language.config import variant
from step4_vision_language.data import build_data, load_texts
from step4_vision_language.task import GenerateTask
from tests.step4_vision_language.conftest import runtime, tiny


def costs(name, cache, tmp_path):
    config = variant(tiny(), name)
    corpus, tokenizer = load_texts(config)
    torch.manual_seed(0)
    model = build_model(config, tokenizer)
    loader = build_data(config, runtime(cache, tmp_path), corpus, tokenizer, model).loaders["validation"]
    batch = loader.collate(list(loader.items[: loader.batch_size]))
    return loader_flops(GenerateTask(model, None, 0.0), loader, "fp32"), batch["input_ids"].shape[1]


def test_more_visual_tokens_cost_more_by_text_though_less_by_position(cache, tmp_path):
    one, short = costs("projector", cache, tmp_path)
    many, long = costs("projector_patches", cache, tmp_path)
    assert long > short
    assert one["flops_per_text"] == pytest.approx(one["flops_per_token"] * short)
    assert many["flops_per_text"] > 1.2 * one["flops_per_text"]
    assert many["flops_per_token"] / one["flops_per_token"] < many["flops_per_text"] / one["flops_per_text"]
