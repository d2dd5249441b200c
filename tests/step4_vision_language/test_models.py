"""Every fusion: text alone without a picture, blind to the future, the same with and without a cache."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM

from common.training.optimiser import assign_groups
from step4_vision_language.fusions import Pictures
from step4_vision_language.model import VisionLanguageModel
from tests.step4_vision_language.models import (
    CASES,
    IMAGE,
    READING,
    SEEDED,
    build,
    language_model,
    pictures,
    text_of,
)

FAMILIES = ("gpt2", "qwen2")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", SEEDED)
def test_starts_as_the_language_model(case, family):
    model = build(case, family)
    ids = text_of(model, "image", [4, 5, 6, 7])[None]
    assert torch.equal(model(ids, pixel_values=pictures(1)[None]).logits, language_model(family)(ids).logits)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", CASES)
def test_a_text_without_a_picture_is_the_text_alone(case, family):
    """Also in a batch with one that has a picture, and after training."""
    model = build(case, family, trained=True)
    text = 4 + torch.arange(len(text_of(model, "image", [4, 5]))) % 50
    alone = model(text[None]).logits
    both = torch.stack([text_of(model, "image", [4, 5]), text])
    together = model(both, pixel_values=pictures(2)[:, None]).logits
    assert torch.equal(together[1:], model(both, pixel_values=pictures(2, seed=1)[:, None]).logits[1:])
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)
    if not model.vision_labels:
        torch.testing.assert_close(alone, model.backbone(text[None]).logits)


@pytest.mark.parametrize("case", READING)
def test_the_picture_is_read(case):
    model = build(case, trained=True)
    ids = text_of(model, "image", [4, 5, 6])[None]
    one, other = (model(ids, pixel_values=pictures(1, seed)[None]).logits for seed in (0, 1))
    assert not torch.allclose(one[:, -1], other[:, -1], atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", CASES)
def test_no_logit_sees_later_words_or_pictures(case, family):
    model = build(case, family, trained=True)
    first = text_of(model, "image", [4, 5, 6], "image", [7, 8])
    other = text_of(model, "image", [4, 5, 9], "image", [3, 2])
    shared = model.fusion.tokens + 2
    seen = pictures(2)
    swapped = torch.stack([seen[0], pictures(1, seed=5)[0]])
    logits = model(torch.stack([first, other]), pixel_values=torch.stack([seen, swapped])).logits
    assert torch.equal(logits[0, :shared], logits[1, :shared])
    assert not torch.equal(logits[0, shared], logits[1, shared])


@pytest.mark.parametrize("case", READING)
def test_what_is_remembered_of_the_pictures_is_what_is_read(case):
    model = build(case, trained=True)
    ids = torch.stack([text_of(model, "image", [4, 5], "image"), text_of(model, [3], "image", [4], "image")])
    patches, pooled = model.see(torch.stack([pictures(2), pictures(2, seed=1)]))
    seen = {"seen_patches": patches, "seen_pooled": pooled}
    memory = model.remember(Pictures(patches, pooled, model.begins(ids, 2)))
    assert (memory is None) == (model.fusion.replaces and not model.fusion.joins_layers)
    assert torch.equal(model(ids, **seen, seen_memory=memory).logits, model(ids, **seen).logits)
    if memory is not None:
        assert not torch.allclose(model(ids, **seen, seen_memory=memory + 1).logits, model(ids, **seen).logits)


@pytest.mark.parametrize("case", READING)
def test_the_second_picture_is_read_after_its_place_only(case):
    model = build(case, trained=True)
    ids = text_of(model, "image", [4, 5, 6], "image", [7, 8])[None]
    before = model.fusion.tokens + 3
    one, other = (
        model(ids, pixel_values=torch.stack([pictures(1)[0], pictures(1, seed)[0]])[None]).logits for seed in (5, 6)
    )
    assert torch.equal(one[:, :before], other[:, :before])
    assert not torch.allclose(one[:, -1], other[:, -1], atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"num_beams": 3}, {"do_sample": True, "top_p": 0.9}], ids=["greedy", "beam", "p"]
)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", CASES)
def test_generation_with_and_without_a_cache(case, family, options):
    """Token for token the same, in a batch with padding on the left and alone."""
    model = build(case, family, trained=True).double()
    texts = [text_of(model, "image", [4, 5, 6]), text_of(model, "image"), text_of(model, [9, 8])]
    seen = pictures(3)[:, None].double()
    length = max(map(len, texts))
    ids = torch.stack([torch.cat([torch.zeros(length - len(t), dtype=torch.long), t]) for t in texts])
    mask = torch.stack([(torch.arange(length) >= length - len(t)).long() for t in texts])
    found = []
    for use_cache in (True, False):
        torch.manual_seed(3)
        found.append(
            model.generate(
                ids, attention_mask=mask, pixel_values=seen, max_new_tokens=6, use_cache=use_cache,
                bad_words_ids=[[IMAGE]], **options,
            )
        )  # fmt: skip
    assert torch.equal(*found)
    if not options.get("do_sample"):
        for k, text in enumerate(texts[:2]):
            alone = model.generate(
                text[None], pixel_values=seen[k : k + 1], max_new_tokens=6, bad_words_ids=[[IMAGE]], **options
            )[0]
            new = found[0][k, length:]
            assert torch.equal(alone[len(text) :], new[: len(alone) - len(text)])


@pytest.mark.parametrize("case", READING)
def test_survives_saving(case, tmp_path):
    model = build(case, trained=True)
    groups = assign_groups(model, model.parts())
    assert sum(map(len, groups.values())) == len(list(model.parameters()))
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(again, VisionLanguageModel)
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    ids = text_of(model, "image", [4, 5, 6])[None]
    one, other = (m.generate(ids, pixel_values=pictures(1)[None], max_new_tokens=5) for m in (model, again))
    assert torch.equal(one, other)
    logits = [m(ids, pixel_values=pictures(1)[None]).logits for m in (model, again)]
    # Weights of a file stand at other addresses, by which some processors choose the order of their sums.
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", ["dm", "projector_patches", "cross_attention"])
def test_texts_and_pictures_that_do_not_fit_are_refused(case):
    model = build(case)
    with pytest.raises(ValueError, match="no picture came"):
        model(text_of(model, "image", [4])[None])
    with pytest.raises(ValueError, match="at most 1"):
        model(text_of(model, "image", "image")[None], pixel_values=pictures(1)[None])
