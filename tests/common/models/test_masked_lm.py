"""The masked language model: the plain backbone at the start, and blind to the streams of masked words."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForMaskedLM

from common.integration import DM, LI
from common.models.backbones import TINY
from common.models.masked_lm import MultiStreamForMaskedLM
from common.streams.config import StreamConfig
from common.training.optimiser import assign_groups

STREAMS = [
    StreamConfig(kind="phonetic", width=16, layers=2, heads=2),
    StreamConfig(kind="duplicate", width=16, heads=2),
]


def build(family="tiny-bert", rule=None, streams=STREAMS):
    torch.manual_seed(0)
    return MultiStreamForMaskedLM.from_backbone(family, rule or DM(), streams, {"phonetic": 40}).eval()


def batch():
    torch.manual_seed(1)
    ids = torch.randint(5, 60, (3, 9))
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    labels = torch.full_like(ids, -100)
    labels[0, 2], labels[1, 4], labels[1, 5] = 7, 8, 9
    pieces = torch.randint(3, 40, (5, 4))
    pieces[0] = 0
    return {
        "input_ids": ids, "attention_mask": mask, "labels": labels,
        "phonetic_pieces": pieces, "phonetic_index": torch.randint(0, 5, (3, 9)),
    }  # fmt: skip


@pytest.mark.parametrize("family", TINY)
@pytest.mark.parametrize("rule", [DM(), LI()], ids=["dm", "li"])
def test_starts_as_the_plain_backbone(family, rule):
    model, inputs = build(family, rule), batch()
    labels = inputs.pop("labels")
    plain = model.backbone(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    torch.testing.assert_close(model(**inputs).logits, plain, rtol=0, atol=0)
    output = model(**inputs, labels=labels)
    wanted = labels != -100
    torch.testing.assert_close(output.logits, plain[wanted])
    torch.testing.assert_close(output.loss, torch.nn.functional.cross_entropy(plain[wanted], labels[wanted]))


def test_a_batch_without_masks_has_a_loss_of_zero_and_a_gradient():
    model, inputs = build(), batch()
    inputs["labels"][:] = -100
    output = model(**inputs)
    assert output.loss.item() == 0 and output.logits.shape[0] == 0
    output.loss.backward()


@pytest.mark.parametrize("family", TINY)
def test_each_parameter_has_one_part_and_survives_saving(family, tmp_path):
    model, inputs = build(family), batch()
    groups = assign_groups(model, model.parts())
    assert sum(len(group) for group in groups.values()) == len(list(model.parameters()))
    embeddings = model.get_input_embeddings().weight
    assert any(p is embeddings for p in groups["backbone"]) and groups["head"]
    model.save_pretrained(tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert isinstance(again, MultiStreamForMaskedLM)
    assert again.backbone.get_output_embeddings().weight is again.get_input_embeddings().weight
    assert torch.equal(model(**inputs).logits, again(**inputs).logits)


def test_contributions_are_read_where_tokens_are_predicted():
    output = build()(**batch(), report=True)
    assert output.read.sum() == 3
    total = torch.stack(list(output.contributions.values())).sum(0)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_without_the_meaning_stream_there_is_nothing_to_predict_with():
    with pytest.raises(ValueError, match="needs it"):
        MultiStreamForMaskedLM.from_backbone("tiny-bert", DM(), STREAMS[:1], {"phonetic": 40}, use_meaning=False)
