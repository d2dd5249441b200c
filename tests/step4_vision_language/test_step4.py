"""Step 4 from pictures to record: kills change nothing, frozen parts stay, every variant and preset trains."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from common.data.language.masking import NOTHING
from common.data.language.tokenizers import train_bpe
from common.data.vision import VisionDataConfig
from common.vision.config import VisionConfig
from common.vision.encoder import build_encoder
from results.table4_vision_language.configs import VARIANTS as TABLE
from step4_vision_language.__main__ import COMMAND
from step4_vision_language.build import build_model
from step4_vision_language.config import PRESETS, VARIANTS, AdapterConfig, variant
from step4_vision_language.contributions import write
from step4_vision_language.data import build_data, load_texts, swapped
from step4_vision_language.decode import write_ids
from step4_vision_language.evidence import log_probabilities
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.run import run
from step4_vision_language.task import GenerateTask
from step4_vision_language.texts import IMAGE, SPECIALS, TextProcessor
from tests.killed import killed_at_its_first_checkpoint, result_of
from tests.step4_vision_language.conftest import runtime, tiny
from tests.step4_vision_language.models import language_model


def built(config, cache, tmp_path):
    corpus, tokenizer = load_texts(config)
    torch.manual_seed(0)
    model = build_model(config, tokenizer)
    return model, build_data(config, runtime(cache, tmp_path), corpus, tokenizer, model)


@pytest.fixture(scope="module")
def finished(cache, tmp_path_factory):
    return run(tiny(name="dm"), runtime(cache, tmp_path_factory.mktemp("runs")))


def test_record_is_complete(finished):
    final = json.loads((finished / "final.json").read_text())
    assert final["test_perplexity"] == pytest.approx(math.exp(final["test_loss"]))
    assert 0 <= final["test_bleu_4"] <= final["test_bleu_1"] <= 1 and final["test_human_bleu_4"] > 0
    texts = pd.read_parquet(finished / "texts.parquet")
    assert len(texts) == 16 and texts["cider_d"].mean() == pytest.approx(final["test_cider_d"], abs=1e-5)
    losses = pd.read_parquet(finished / "predictions_test.parquet")
    assert losses["nll"].sum() / losses["tokens"].sum() == pytest.approx(final["test_loss"], rel=1e-5)
    assert len(losses) == 5 * 16
    traced = pd.read_csv(finished / "alphas.csv")
    assert {"alpha", "contribution", "gate", "gradient"} <= set(traced["quantity"])
    assert {"meaning", "vision"} <= set(traced["stream"]) and not (finished / "checkpoints").exists()


@pytest.mark.usefixtures("auto_asked_once")
def test_what_follows_training_is_computed_in_its_number_format(cache, tmp_path):
    config = tiny(name="dm")
    train = replace(config.train, epochs=1, precision="auto")
    folder = run(replace(config, train=train), runtime(cache, tmp_path))
    assert json.loads((folder / "environment.json").read_text())["precision"] in ("bf16", "fp32")


KILLED = """
import sys
from tests.step4_vision_language.conftest import tiny, runtime
from step4_vision_language.run import run
run(tiny(), runtime(sys.argv[1], sys.argv[2]))
"""


def test_killed_run_resumes_to_the_uninterrupted_result(cache, tmp_path):
    whole = run(tiny(), runtime(cache, tmp_path / "whole"))
    killed_at_its_first_checkpoint(KILLED, [cache, tmp_path / "killed"], tmp_path / "killed")
    resumed = run(tiny(), runtime(cache, tmp_path / "killed"))
    assert result_of(resumed) == result_of(whole)


@pytest.mark.parametrize("name", [*VARIANTS, "gmu", "li_output", "projector_swapped"])
def test_every_variant_trains_a_step(cache, tmp_path, name):
    model, data = built(variant(tiny(), name), cache, tmp_path)
    model.vision.requires_grad_(False)
    task = GenerateTask(model)
    loss, _ = task.training_forward(data.loaders["train"].collate(list(data.loaders["train"].items[:4])))
    loss.backward()
    idle = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert loss.isfinite() and not idle


def test_frozen_parts_stay_bit_equal(cache, tmp_path):
    config = tiny(train=replace(tiny().train, lr_backbone=0.0, epochs=1))
    before, _ = built(config, cache, tmp_path)
    after = VisionLanguageModel.from_pretrained(run(config, runtime(cache, tmp_path)) / "model")
    own, other = before.state_dict(), after.state_dict()
    same = {name for name in own if torch.equal(own[name], other[name])}
    frozen = {name for name in own if name.startswith(("vision.", "backbone."))}
    assert frozen <= same and {name for name in own if name.startswith("secondary.")} - same


def test_the_encoder_learns_where_it_may(cache, tmp_path):
    """Then features are not kept, and its weights change."""
    config = tiny(train=replace(tiny().train, lr_vision=1e-3, epochs=1))
    before, _ = built(config, cache, tmp_path)
    after = VisionLanguageModel.from_pretrained(run(config, runtime(cache, tmp_path)) / "model")
    own, other = (dict(m.vision.named_parameters()) for m in (before, after))
    assert any(not torch.equal(own[name], other[name]) for name in own)


def test_second_stage_takes_over_and_says_what(finished, cache, tmp_path, capsys):
    config = tiny(init_from=str(finished), fusion=replace(tiny().fusion), adapters=AdapterConfig(rank=2))
    model, _ = built(config, cache, tmp_path)
    said = capsys.readouterr().out
    assert "left behind: none" in said and "new: backbone.transformer" in said
    first = VisionLanguageModel.from_pretrained(finished / "model").eval()
    ids = torch.tensor([[0, model.config.image_token_id, 50, 60]])
    pixels = torch.randn(1, 1, 3, 64, 64)
    torch.testing.assert_close(model.eval()(ids, pixel_values=pixels).logits, first(ids, pixel_values=pixels).logits)
    other = tiny(init_from=str(finished), streams=(replace(tiny().streams[0], width=32),))
    with pytest.raises(ValueError, match="differ in"):
        built(other, cache, tmp_path)
    wider = tiny(init_from=str(finished), size=replace(tiny().size, width=64))
    with pytest.raises(ValueError, match="differ in"):
        built(wider, cache, tmp_path)
    with pytest.raises(FileNotFoundError, match="no trained model"):
        built(tiny(init_from=str(tmp_path)), cache, tmp_path)


@pytest.mark.parametrize(("longest", "told"), [(48, "16 new"), (20, "12 left behind")])
def test_a_run_with_texts_of_another_length_is_taken_over(finished, cache, tmp_path, capsys, longest, told):
    """Of the table of positions what both have; a text that fits both is read alike."""
    model, _ = built(tiny(init_from=str(finished), train=replace(tiny().train, max_length=longest)), cache, tmp_path)
    said = " ".join(capsys.readouterr().out.split())
    first = VisionLanguageModel.from_pretrained(finished / "model").eval()
    place = "backbone.transformer.wpe.weight"
    here, there = model.get_parameter(place), first.get_parameter(place)
    count = min(len(here), len(there))
    assert len(here) - len(there) == longest - 32 and torch.equal(here[:count], there[:count])
    assert f"of {place} the first {count} positions, {told}" in said and "left behind: none" in said
    ids = torch.tensor([[0, model.config.image_token_id, *range(50, 66)]])
    pixels = torch.randn(1, 1, 3, 64, 64)
    torch.testing.assert_close(model.eval()(ids, pixel_values=pixels).logits, first(ids, pixel_values=pixels).logits)


def test_only_adapters_of_the_language_model_learn(cache, tmp_path):
    config = tiny(adapters=AdapterConfig(rank=2), train=replace(tiny().train, epochs=1))
    before, _ = built(config, cache, tmp_path)
    after = VisionLanguageModel.from_pretrained(run(config, runtime(cache, tmp_path)) / "model")
    own, other = before.state_dict(), after.state_dict()
    changed = {name for name in own if name.startswith("backbone.") and not torch.equal(own[name], other[name])}
    assert changed and all("lora_" in name for name in changed)


def test_what_is_given_is_not_scored(cache, tmp_path):
    config = tiny(data=VisionDataConfig(scene_task="question", scene_sizes=(48, 16, 16)))
    model, data = built(config, cache, tmp_path)
    sample = data.corpus.splits["train"][0]
    (text,) = data.processor.targets(sample)
    written = [token for token, label in zip(text.ids, text.labels, strict=True) if label != NOTHING]
    assert data.processor.decode(written) == sample.answers[0] and written[-1] == data.processor.end_id
    assert text.ids[: len(data.processor.prompt(sample))] == data.processor.prompt(sample)
    assert text.ids.count(data.processor.image_id) == model.fusion.tokens


def test_texts_that_are_cut_before_their_answer_are_told(cache, tmp_path, recwarn):
    config = tiny(data=VisionDataConfig(scene_task="question", scene_sizes=(48, 16, 16)))
    corpus, tokenizer = load_texts(config)
    model = build_model(config, tokenizer)

    def told(longest, corpus=corpus):
        train = replace(config.train, max_length=longest)
        made.append(build_data(replace(config, train=train), runtime(cache, tmp_path), corpus, tokenizer, model))
        return [str(one.message) for one in recwarn if "max-length" in str(one.message)]

    made = []
    assert not told(32)
    first, *rest = corpus.splits["train"]
    samples = [replace(first, question=" ".join(["what"] * 40)), *rest]
    (said,) = told(32, replace(corpus, splits=corpus.splits | {"train": samples}))
    assert said.startswith(f"1 of {len(samples)} texts of the split 'train' are cut") and "--train.max-length" in said
    train = made[-1].loaders["train"]
    loss, _ = GenerateTask(model).training_forward(train.collate(train.items[:1]))  # a batch of nothing but it
    assert loss.item() == 0
    with pytest.raises(ValueError, match="texts of the split 'train' are cut off .* raise --train.max-length"):
        told(4)


def test_a_question_that_leaves_no_room_for_its_answer_is_refused_before_training(cache, tmp_path):
    config = tiny(data=VisionDataConfig(scene_task="question", scene_sizes=(48, 16, 16)))
    corpus, tokenizer = load_texts(config)
    model, new = build_model(config, tokenizer), config.decode.max_new_tokens
    bare = TextProcessor(tokenizer, model.fusion.tokens, config.train.max_length)

    def asked(tokens):
        """The corpus with a question of so many tokens among its tests."""
        first, *rest = corpus.splits["test"]
        long = next(
            sample
            for sample in (replace(first, question="what?" + "!" * k) for k in range(tokens))
            if len(bare.prompt(sample)) == tokens
        )
        return replace(corpus, splits=corpus.splits | {"test": [long, *rest]}), long

    fits, sample = asked(model.context - new)
    data = build_data(config, runtime(cache, tmp_path), fits, tokenizer, model)
    see = data.pictures["test"]
    assert len(write_ids(model, data.processor, [sample], see, config.decode)) == 1
    assert len(log_probabilities(model, data.processor, [sample], [[5] * new], see([sample]))[0]) == new
    longer, sample = asked(model.context - new + 1)
    told = f"{sample.id}: .* {model.context} that the model reads; .*--decode.max-new-tokens, or raise --train.max-leng"
    with pytest.raises(ValueError, match=told):
        build_data(config, runtime(cache, tmp_path), longer, tokenizer, model)
    retrieve = replace(config, objective="retrieve")  # writes nothing
    build_data(retrieve, runtime(cache, tmp_path), longer, tokenizer, model)
    with pytest.raises(ValueError, match="that the model reads"):
        write_ids(model, data.processor, [sample], see, config.decode)
    with pytest.raises(ValueError, match="that the model reads"):
        write(model, data.processor, [sample], batch_size=1, max_new_tokens=new)


def test_questions_are_answered_and_scored_by_need(cache, tmp_path):
    config = tiny(data=VisionDataConfig(scene_task="question", scene_sizes=(48, 16, 32)))
    final = json.loads((run(config, runtime(cache, tmp_path)) / "final.json").read_text())
    assert {"test_accuracy", "test_accuracy_image", "test_accuracy_text"} <= set(final)


def test_conversations_score_the_assistant_alone():
    class Cut:
        bos_token_id, eos_token_id = None, 0

        def convert_tokens_to_ids(self, text):
            return 1

        def __call__(self, text, add_special_tokens):
            return {"input_ids": [1 if piece == IMAGE else 2 + len(piece) for piece in text.split(" ")]}

    processor = TextProcessor(Cut(), marks=1, max_length=50)
    text = processor._conversation([("human", f"{IMAGE} what is it"), ("assistant", "a dog")])
    scored = [token for token, label in zip(text.ids, text.labels, strict=True) if label != NOTHING]
    assert scored == processor._cut("a dog<|im_end|>")


def test_swapped_pictures_are_others(cache):
    corpus, _ = load_texts(tiny())
    samples = corpus.splits["train"]
    turned = swapped(samples)
    assert all(
        a.images[0].key != b.images[0].key and a.captions == b.captions for a, b in zip(samples, turned, strict=True)
    )
    assert {s.images[0].key for s in samples} == {s.images[0].key for s in turned}


def test_the_tokenizer_learns_from_the_kept_samples_and_epochs_are_as_long(cache, tmp_path):
    whole, part = tiny(), tiny(data=replace(tiny().data, train_fraction=0.25))
    (every, _), (corpus, tokenizer) = load_texts(whole), load_texts(part)
    assert len(corpus.splits["train"]) == 12 and corpus.splits["test"] == every.splits["test"]
    alone = [text for sample in corpus.splits["train"] for text in sample.captions]
    expected = train_bpe([f" {text}" for text in alone], part.vocab_size, SPECIALS)
    assert tokenizer.get_vocab() == expected.get_vocab()
    loader = build_data(part, runtime(cache, tmp_path), corpus, tokenizer, build_model(part, tokenizer)).loaders[
        "train"
    ]
    assert loader.count == 4 * len(loader.items)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build_and_take_a_step(name, cache, tmp_path):
    """With checkpoints of the real classes in place of names on the hub."""
    config = variant(PRESETS[name](), "dm")
    data = VisionDataConfig(scene_sizes=(12, 4, 4), scene_pixels=96)
    if name in ("paper", "align", "tune"):
        language_model("gpt2" if name == "paper" else "qwen2").save_pretrained(tmp_path / "language")
        _, tokenizer = load_texts(tiny())
        tokenizer.save_pretrained(tmp_path / "language")
        clip = CLIPVisionConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, projection_dim=16,
            image_size=224, patch_size=32,
        )  # fmt: skip
        CLIPVisionModelWithProjection(clip).save_pretrained(tmp_path / "clip")
        vision = replace(config.vision, name=str(tmp_path / "clip"))
        config = replace(config, backbone=str(tmp_path / "language"), vision=vision)
    if name == "small":
        config = replace(config, vision=replace(config.vision, weights="random"))
    model, built_data = built(replace(config, data=data), cache, tmp_path)
    loader = built_data.loaders["train"]
    loss, _ = GenerateTask(model).training_forward(loader.collate(list(loader.items[:4])))
    loss.backward()
    assert loss.isfinite()


def test_the_table_has_the_rows_of_the_help():
    assert set(TABLE) == set(VARIANTS)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_the_command_line(name):
    config, _ = COMMAND.parse(name, "dm", ["--train.seed", "3"])
    assert config == replace(variant(PRESETS[name](), "dm"), train=config.train) and config.train.seed == 3


def test_bad_configs_are_refused():
    with pytest.raises(ValueError, match="unknown variant"):
        variant(tiny(), "telepathy")
    with pytest.raises(ValueError, match="at least one stream"):
        tiny(streams=())
    with pytest.raises(ValueError, match="objective"):
        tiny(objective="guess")
    with pytest.raises(ValueError, match="image_size"):
        VisionConfig(image_size=32)
    with pytest.raises(ValueError, match="no model"):
        build_encoder(VisionConfig(name="timm/not_a_model"))
    with pytest.raises(FileNotFoundError, match="no weights at"):
        build_encoder(VisionConfig(name="timm/mobilenetv2_100", weights="/nowhere.safetensors", image_size=224))
