"""The multi-stream assembly around each backbone family."""

import copy

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from common.integration import IntegrationConfig, rules
from common.models.backbones import TINY, classify, load_backbone, load_tokenizer, resolve_backbone
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.models.secondary import depth_of_site
from common.streams.config import StreamConfig

STREAMS = (
    StreamConfig(kind="phonetic", width=16, layers=2, heads=2),
    StreamConfig(kind="morphological", width=8, layers=1, heads=2, alignment="attention"),
    StreamConfig(kind="duplicate", width=8, layers=1, heads=2),
)
EXACT = [name for name, rule in rules().items() if rule.preserves == "exactly" and name != "reference"]
VOCABULARIES = {"phonetic": 20, "morphological": 30}


def build(family="tiny-bert", streams=STREAMS, pooling="first", use_meaning=True, **options):
    integration = IntegrationConfig(**options) if options else None
    model = MultiStreamForSequenceClassification.from_backbone(
        family, integration=integration, streams=streams, vocabularies=VOCABULARIES, num_labels=5,
        pooling=pooling, use_meaning=use_meaning,
    )  # fmt: skip
    return model.eval()


def batch(size=3, time=7):
    ids = torch.randint(5, 40, (size, time))
    mask = torch.ones_like(ids)
    mask[0, 4:] = 0
    pieces = torch.randint(3, 20, (6, 4))
    pieces[0] = 0
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "phonetic_pieces": pieces,
        "phonetic_index": torch.randint(0, 6, (size, time)),
        "morphological_sequence": torch.randint(3, 30, (size, 9)),
    }


@pytest.mark.parametrize("family", TINY)
@pytest.mark.parametrize("rule", EXACT)
def test_preserving_start_is_the_plain_backbone(family, rule):
    model = build(family, rule=rule)
    assert model.integration.preserves == "exactly"
    inputs = batch()
    with torch.no_grad():
        plain = model.backbone(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
        integrated = model(**inputs).logits
    torch.testing.assert_close(integrated, plain, rtol=1e-5, atol=1e-6)


def test_streams_change_the_logits_once_alpha_moves():
    model, inputs = build(), batch()
    before = model(**inputs).logits
    with torch.no_grad():
        for parameter in model.integration.parameters():
            parameter.add_(0.3)
    assert (model(**inputs).logits - before).abs().max() > 1e-3


def randomise(model):
    with torch.no_grad():
        for parameter in model.integration.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))


@pytest.mark.parametrize("stream", ["phonetic", "morphological"])
@pytest.mark.parametrize("rule", ["dm", "li", "gated", "attention", "gmu"])
def test_absent_stream_has_no_effect_and_no_gradient(rule, stream):
    model, inputs = build(rule=rule), batch()
    randomise(model)
    absent = {stream: torch.zeros(3, dtype=torch.bool)}
    logits = model(**inputs, present=absent).logits
    field = "phonetic_pieces" if stream == "phonetic" else "morphological_sequence"
    changed = inputs | {field: torch.where(inputs[field] > 0, 3, 0)}
    assert torch.equal(model(**changed, present=absent).logits, logits)
    assert not torch.equal(model(**changed).logits, model(**inputs).logits)
    logits.sum().backward()
    parameters = [*model.secondary.composers[stream].parameters(), *model.secondary.encoders[stream].parameters()]
    assert all(p.grad is None or not p.grad.any() for p in parameters)


def test_save_and_load_is_bit_equal(tmp_path):
    model, inputs = build(rule="li"), batch()
    randomise(model)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, MultiStreamForSequenceClassification)
    assert torch.equal(loaded(**inputs).logits, model(**inputs).logits)
    assert loaded.config.num_labels == 5


def test_contributions_sum_to_one_and_name_every_stream():
    model, inputs = build(), batch()
    randomise(model)
    output = model(**inputs, report=True)
    assert set(output.contributions) == {"meaning", "phonetic", "morphological", "duplicate", "state"}
    total = torch.stack(list(output.contributions.values())).sum(0)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_without_the_meaning_stream_the_words_of_the_backbone_reach_no_logit():
    model = MultiStreamForSequenceClassification.from_backbone(
        "tiny-bert", streams=STREAMS[:1], vocabularies=VOCABULARIES, use_meaning=False, num_labels=5
    ).eval()
    inputs = batch()
    changed = inputs | {"input_ids": inputs["input_ids"].flip(0, 1)}
    assert torch.equal(model(**changed).logits, model(**inputs).logits)
    model(**inputs, labels=torch.tensor([0, 1, 2])).loss.backward()
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert all(p.grad is not None for name, p in model.named_parameters() if name in trained)


@pytest.mark.parametrize("family", TINY)
def test_mean_pooling_gives_the_family_s_head_the_mean_state(family):
    model, inputs = build(family, pooling="mean"), batch()
    mask = inputs["attention_mask"]
    hidden = model.backbone.base_model(inputs["input_ids"], attention_mask=mask).last_hidden_state
    mean = (hidden * mask.unsqueeze(-1)).sum(1, keepdim=True) / mask.sum(1).view(-1, 1, 1)
    torch.testing.assert_close(model(**inputs).logits, classify(model.backbone, mean), rtol=1e-5, atol=1e-6)
    plain = model.backbone(inputs["input_ids"], attention_mask=mask)
    torch.testing.assert_close(classify(model.backbone, hidden), plain.logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", ["first", "mean"])
@pytest.mark.parametrize("rule", ["dm", "li", "gated", "cross_attention"])
def test_the_state_reaches_the_logits_at_the_positions_said_to_be_read_and_nowhere_else(rule, pooling):
    model, inputs = build(rule=rule, pooling=pooling), batch()
    randomise(model)
    states = []
    norm = model.backbone.bert.encoder.layer[-1].output.LayerNorm
    norm.register_forward_pre_hook(lambda _, args: states.append(args[0]) or args[0].retain_grad())
    output = model(**inputs, report=True)
    output.logits[:, 0].sum().backward()
    assert torch.equal(states[0].grad.abs().sum(-1) > 0, output.read)


@pytest.mark.parametrize("meaning", [True, False])
@pytest.mark.parametrize("rule", ["dm", "li", "gmu", "concat"])
def test_collected_streams_give_the_same_logits(rule, meaning):
    model, inputs = build(rule=rule, pooling="mean", use_meaning=meaning), batch()
    randomise(model)
    collected = model.collect(**inputs)
    torch.testing.assert_close(model.logits_from(collected), model(**inputs).logits)
    absent = {"phonetic": torch.tensor([True, False, True])}
    again = model.logits_from(collected, absent)
    torch.testing.assert_close(again, model(**inputs, present=absent).logits)
    assert not torch.equal(again, model.logits_from(collected))


def test_another_reference_leaves_the_other_terms_at_their_scale():
    model, inputs = build(), batch()
    randomise(model)
    collected = model.collect(**inputs)
    scale = [streams["meaning"] for streams in collected.sites]
    seen = []
    model.integration.register_forward_hook(lambda module, args, result: seen.append(result.state))
    for factor in (1.0, 3.0):
        sites = [{**streams, "meaning": factor * streams["meaning"]} for streams in collected.sites]
        model.logits_from(collected._replace(sites=sites), scale_like=scale)
    # The first site has no state below it: its change is that of the reference term alone.
    alpha = model.integration.mixing["alpha"][0, 0]
    torch.testing.assert_close(seen[len(scale)] - seen[0], 2 * alpha * scale[0])


@pytest.mark.parametrize("family", TINY)
@pytest.mark.parametrize("streams", [STREAMS[:1], STREAMS[2:]], ids=["phonetic", "duplicate"])
def test_without_the_meaning_stream_no_layer_of_the_backbone_is_kept(family, streams, tmp_path):
    model = build(family, streams=streams, use_meaning=False)
    inputs = batch()
    assert not any(".layer." in name for name, _ in model.named_parameters())
    assert any("word_embeddings" in name for name, _ in model.named_parameters()) == (streams == STREAMS[2:])
    model.save_pretrained(tmp_path)
    loaded = MultiStreamForSequenceClassification.from_pretrained(tmp_path).eval()
    assert torch.equal(loaded(**inputs).logits, model(**inputs).logits)


def test_a_stream_aligned_by_attention_does_not_read_the_subwords():
    model = build(streams=STREAMS[1:2], use_meaning=False)
    inputs = batch()
    other = torch.where(inputs["input_ids"] > 0, 7, 0)
    assert torch.equal(model(**inputs | {"input_ids": other}).logits, model(**inputs).logits)


def test_hooks_stay_silent_when_the_backbone_runs_alone():
    model, inputs = build(), batch()
    randomise(model)
    plain = load_backbone(model.auto_class_of_backbone, "tiny-bert", num_labels=5).eval()
    plain.load_state_dict(model.backbone.state_dict())
    call = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
    assert torch.equal(model.backbone(**call).logits, plain(**call).logits)


@pytest.mark.parametrize("training", [True, False])
def test_compiled_model_equals_eager(training):
    model, inputs = build(), batch()
    randomise(model)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    with torch.set_grad_enabled(training):
        for scale in (1.0, 2.0):  # the second pass finds other parameters under the compiled graph
            with torch.no_grad():
                model.integration.project.weight.mul_(scale)
            torch.testing.assert_close(compiled(**inputs).logits, model(**inputs).logits)


def test_encoder_can_be_shared_between_streams_and_across_depth():
    first = StreamConfig(kind="phonetic", width=8, layers=3, heads=2, share_depth=True)
    second = StreamConfig(kind="morphological", width=8, layers=3, heads=2, share_with="phonetic")
    model = build(streams=(first, second))
    assert list(model.secondary.encoders) == ["phonetic"]
    assert len(model.secondary.encoders["phonetic"].blocks) == 1
    with pytest.raises(ValueError, match="must stand before it"):
        build(streams=(second, first))


def test_sites_read_streams_at_their_relative_depth():
    assert [depth_of_site(site, 6, 3) for site in range(6)] == [0, 0, 1, 1, 2, 2]
    assert [depth_of_site(site, 12, 3) for site in (0, 3, 4, 11)] == [0, 0, 1, 2]
    assert [depth_of_site(site, 2, 3) for site in range(2)] == [1, 2]


def test_stream_dropout_only_in_training():
    model, inputs = build(stream_dropout=0.5), batch()
    randomise(model)
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    draws = {tuple(model(**inputs).logits.flatten().tolist()) for _ in range(8)}
    assert len(draws) > 1


@pytest.mark.parametrize("name", ["./nowhere", "no-such-org/no-such-model"])
def test_a_backbone_that_cannot_be_had_is_one_clear_error(name):
    with pytest.raises(FileNotFoundError, match="no such backbone folder|could not be had"):
        load_tokenizer(name)
        load_backbone(MultiStreamForSequenceClassification.auto_class_of_backbone, name)


def test_sources_are_named(tmp_path):
    assert "packaged" in resolve_backbone("minilm").description
    assert "random" in resolve_backbone("tiny-bert").description
    assert "hub" in resolve_backbone("bert-base-uncased").description
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        resolve_backbone(str(tmp_path))


def test_local_folder_of_a_backbone(tmp_path):
    plain = load_backbone(MultiStreamForSequenceClassification.auto_class_of_backbone, "tiny-electra", num_labels=3)
    plain.save_pretrained(tmp_path)
    model = MultiStreamForSequenceClassification.from_backbone(str(tmp_path), num_labels=3).eval()
    ids = batch()["input_ids"]
    torch.testing.assert_close(model(ids).logits, plain.eval()(ids).logits)


@pytest.mark.parametrize("damage", [None, b"no weights"])
def test_a_local_folder_without_weights_is_named(tmp_path, damage):
    kind = MultiStreamForSequenceClassification.auto_class_of_backbone
    load_backbone(kind, "tiny-electra").save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.unlink() if damage is None else weights.write_bytes(damage)
    with pytest.raises(FileNotFoundError, match=f"the folder {tmp_path} of backbone .* lacks files or has damaged"):
        load_backbone(kind, str(tmp_path))


def test_the_home_folder_may_be_abbreviated(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    load_backbone(MultiStreamForSequenceClassification.auto_class_of_backbone, "tiny-bert").save_pretrained(
        tmp_path / "mine"
    )
    assert resolve_backbone("~/mine").location == str(tmp_path / "mine")
    assert resolve_backbone("~/mine").description == "local folder mine"
    with pytest.raises(FileNotFoundError, match="no such backbone folder"):
        resolve_backbone("~/nowhere")


def test_a_copy_calls_its_own_integration():
    """A sharded run trains a copy; were its hooks those of the original, the original would be trained."""
    model, inputs = build(), batch()
    twin = copy.deepcopy(model)
    before = twin(**inputs).logits
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    assert torch.equal(twin(**inputs).logits, before) and before.abs().sum() > 0
