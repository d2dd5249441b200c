"""Multi-stream GPT-2: the plain backbone at the start, blind to the future, and the same with and without a cache."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM

from common.data.language.prefixes import PrefixStreams
from common.integration import DM, LI, IntegrationConfig, rules
from common.models.causal_lm import MultiStreamGPT2LMHeadModel
from common.models.passes import mean_entropy
from common.models.stream_cache import CACHE
from common.streams.config import StreamConfig
from common.training.optimiser import assign_groups
from tests.common.models.causal import SHAPE, backbone_of, build, prefix_streams, streams_of, tokenizer_in

TEXT = "the lemonade of water is an unbelievable thing that don't rest"
# The text up to "lemon", then something else: other letters of the same word, nothing, another word.
OTHERS = ["the lemonish 😀 fields, 12 rivers runs and rest of it", "the lemon", "the lemon ade's\nof a thing"]

AT_OUTPUT = [IntegrationConfig(rule=name) for name in rules() if name not in ("reference", "scalar_mix")]
AT_OUTPUT = [
    IntegrationConfig(rule=rule.rule, recurrent=False)
    if rule.rule in ("attention", "dm", "dm_linear", "gated", "hierarchical", "li", "li_soma", "multiplicative")
    else rule
    for rule in AT_OUTPUT
]
EVERYWHERE = [IntegrationConfig(rule=rule.rule) for rule in AT_OUTPUT if not rule.recurrent]
EVERYWHERE += [IntegrationConfig(rule="scalar_mix"), DM(granularity="token", constraint="softmax")]
CASES = [pytest.param(rule, False, id=f"A-{rule.rule}") for rule in AT_OUTPUT]
CASES += [pytest.param(rule, True, id=f"B-{rule.rule}-{rule.granularity}") for rule in EVERYWHERE]
MAIN = [pytest.param(DM(), True, id="dm"), pytest.param(LI(recurrent=False), False, id="li")]
ATTENDING = pytest.param(IntegrationConfig(rule="cross_attention"), False, id="cross_attention")


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    tokenizer = tokenizer_in(tmp_path_factory.mktemp("texts"))
    return {alignment: prefix_streams(tokenizer, streams_of(alignment)) for alignment in ("word", "attention")}


def encode(reader, texts):
    """Tokens of several texts, padded on the right; how many each has."""
    ids = [reader.tokenizer(text)["input_ids"] for text in texts]
    longest = max(map(len, ids))
    return torch.tensor([row + [0] * (longest - len(row)) for row in ids]), [len(row) for row in ids]


def common_tokens(ids: torch.Tensor) -> int:
    """Tokens that all rows begin with."""
    same = (ids == ids[:1]).all(0)
    return int(same.long().cumprod(0).sum())


@pytest.mark.parametrize(("rule", "feedback"), CASES)
@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_no_logit_sees_what_comes_after_it(readers, alignment, rule, feedback):
    """Whatever follows the fifth letter of a word, every logit up to there stays bit-equal."""
    reader = readers[alignment]
    model = build(reader, rule, feedback, trained=True)
    ids, _ = encode(reader, [TEXT, *OTHERS])
    shared = common_tokens(ids)
    assert reader.prefixes(ids)[0][shared - 1] == "lemon"
    logits = model(ids, **reader.batch(ids)).logits
    for other in logits[1:]:
        assert torch.equal(logits[0, :shared], other[:shared])
        assert not torch.equal(logits[0, shared], other[shared])


@pytest.mark.parametrize(("rule", "feedback"), [*MAIN, ATTENDING])
@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_no_cached_logit_sees_what_comes_after_it(readers, alignment, rule, feedback):
    reader = readers[alignment]
    model = build(reader, rule, feedback, trained=True)
    ids, _ = encode(reader, [TEXT, *OTHERS])
    shared = common_tokens(ids)
    cache, found = None, []
    for begin, end in ((0, shared - 2), (shared - 2, shared), (shared, ids.shape[1])):
        output = model(ids[:, begin:end], cache=cache, use_cache=True, **reader.batch(ids[:, :end], last=end - begin))
        cache = output[CACHE]
        found.append(output.logits)
    logits = torch.cat(found, dim=1)
    torch.testing.assert_close(logits, model(ids, **reader.batch(ids)).logits, atol=2e-4, rtol=1e-4)
    assert all(torch.equal(logits[0, :shared], other[:shared]) for other in logits[1:])


def test_a_cache_goes_by_either_name(readers):
    reader = readers["word"]
    model = build(reader, DM(), True, trained=True)
    ids, _ = encode(reader, [TEXT])
    first, rest = reader.batch(ids[:, :3]), reader.batch(ids, last=ids.shape[1] - 3)
    found = []
    for name in ("cache", "past_key_values"):
        cache = model(ids[:, :3], use_cache=True, **first)[CACHE]
        found.append(model(ids[:, 3:], use_cache=True, **{name: cache}, **rest).logits)
    assert torch.equal(*found)
    assert not torch.equal(found[0], model(ids[:, 3:], **reader.batch(ids[:, 3:])).logits)
    with pytest.raises(ValueError, match="pass one of them"):
        model(ids[:, 3:], cache=cache, past_key_values=cache, **rest)


class WholeWords(PrefixStreams):
    """Cheats: every token of a word sees all of it."""

    def prefixes(self, input_ids, attention_mask=None, last=0):
        found = super().prefixes(input_ids, attention_mask)
        for row in found:
            for place in reversed(range(len(row) - 1)):
                if row[place] and row[place + 1].startswith(row[place]):
                    row[place] = row[place + 1]
        return [row[-last:] for row in found]


@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_a_model_that_sees_whole_words_is_caught(readers, alignment):
    honest = readers[alignment]
    model = build(honest, DM(), True, trained=True)
    cheat = WholeWords(honest.tokenizer, honest.streams, honest.analysers)
    ids, _ = encode(honest, [TEXT, *OTHERS])
    shared = common_tokens(ids)
    logits = model(ids, **cheat.batch(ids)).logits
    assert not torch.equal(logits[0, :shared], logits[1, :shared])


def test_reading_a_later_place_of_a_stream_is_caught(readers):
    """Encoders that are not causal make the same test fail."""
    reader = readers["word"]
    model = build(reader, DM(), True, trained=True)
    model.secondary.causal = False
    ids, _ = encode(reader, [TEXT, *OTHERS])
    logits = model(ids, **reader.batch(ids)).logits
    assert not torch.equal(logits[0, : common_tokens(ids)], logits[1, : common_tokens(ids)])


@pytest.mark.parametrize(("rule", "feedback"), CASES)
def test_starts_as_plain_gpt2(readers, rule, feedback):
    reader = readers["word"]
    model = build(reader, rule, feedback)
    ids, _ = encode(reader, [TEXT, OTHERS[0]])
    plain = backbone_of(len(reader.tokenizer))
    output = model(ids, labels=ids, **reader.batch(ids))
    if model.integration.preserves == "exactly":
        assert torch.equal(output.logits, plain(ids).logits)
        torch.testing.assert_close(output.loss, plain(ids, labels=ids).loss)
    else:
        assert output.logits.isfinite().all()


@pytest.mark.parametrize(("rule", "feedback"), MAIN)
def test_starts_as_gpt2_with_trained_biases(readers, rule, feedback):
    """A fresh GPT-2's biases are zero; those of a trained one must leave the raw stream and come back behind it."""
    reader = readers["word"]
    model = build(reader, rule, feedback)
    plain = backbone_of(len(reader.tokenizer))
    for name, parameter in plain.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    model.backbone.base_model.ln_f.load_state_dict(plain.transformer.ln_f.state_dict())
    for depth, block in zip(model.backbone.base_model.h, plain.transformer.h, strict=True):
        depth.block.load_state_dict(block.state_dict())
    ids, _ = encode(reader, [TEXT, OTHERS[0]])
    seen = {}
    handle = model.integration.register_forward_pre_hook(lambda _, inputs: seen.update(raw=inputs[0]["meaning"]))
    torch.testing.assert_close(model(ids, **reader.batch(ids)).logits, plain(ids).logits)
    handle.remove()
    inner = plain(ids, output_hidden_states=True).hidden_states[-2]  # what the last block reads
    last = plain.transformer.h[-1]
    total = last(inner)
    total = total[0] if isinstance(total, tuple) else total
    torch.testing.assert_close(seen["raw"], total - last.mlp.c_proj.bias)


@pytest.mark.parametrize(
    "options",
    [{}, {"num_beams": 3}, {"do_sample": True, "top_p": 0.9}],
    ids=["greedy", "beam", "sampling"],
)
@pytest.mark.parametrize("alignment", ["word", "attention"])
@pytest.mark.parametrize(("rule", "feedback"), [*MAIN, ATTENDING])
def test_generation_with_and_without_a_cache(readers, options, alignment, rule, feedback):
    """Token for token the same, in a batch with padding on the left and alone."""
    reader = readers[alignment]
    model = build(reader, rule, feedback, trained=True).double()
    prompts = ["the character of wat", "runs", "an unbel"]
    ids, counts = encode(reader, prompts)
    left = torch.stack([row.roll(ids.shape[1] - n) for row, n in zip(ids, counts, strict=True)])
    mask = torch.stack([(torch.arange(ids.shape[1]) >= ids.shape[1] - n).long() for n in counts])
    found = []
    for use_cache in (True, False):
        torch.manual_seed(3)
        found.append(
            model.generate(
                left, attention_mask=mask, max_new_tokens=12, use_cache=use_cache, eos_token_id=299, **options
            )
        )
    assert found[0].shape[1] == left.shape[1] + 12 and torch.equal(*found)
    if not options.get("do_sample"):
        for row, whole, n in zip(ids, found[0], counts, strict=True):
            alone = model.generate(row[None, :n], max_new_tokens=12, eos_token_id=299, **options)[0]
            assert torch.equal(alone, whole[ids.shape[1] - n :])


def test_generation_without_streams_says_what_to_do(readers):
    model = build(readers["word"])
    model.streams = None
    with pytest.raises(ValueError, match="load_streams"):
        model.generate(torch.tensor([[1, 2]]), max_new_tokens=2)
    with pytest.raises(ValueError, match="PrefixStreams.batch"):
        model(torch.tensor([[1, 2]]))
    with pytest.raises(ValueError, match="DynamicCache"):
        model.load_streams(readers["word"]).generate(
            torch.tensor([[1, 2]]), max_new_tokens=2, cache_implementation="static"
        )


def test_controls_have_nothing_to_say_of_new_words(readers):
    reader = readers["word"]
    shuffled = StreamConfig(kind="phonetic", control="shuffled", **SHAPE)
    with pytest.raises(ValueError, match="shuffled"):
        PrefixStreams(reader.tokenizer, [shuffled], reader.analysers)


@pytest.mark.parametrize(("rule", "feedback"), MAIN)
def test_survives_saving(readers, tmp_path, rule, feedback):
    reader = readers["word"]
    model = build(reader, rule, feedback, trained=True)
    groups = assign_groups(model, model.parts())
    assert sum(map(len, groups.values())) == len(list(model.parameters()))
    model.save_pretrained(tmp_path)
    reader.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(again, MultiStreamGPT2LMHeadModel)
    streams = PrefixStreams.from_pretrained(tmp_path)
    ids, _ = encode(streams, [TEXT])
    assert again.backbone.lm_head.weight is again.get_input_embeddings().weight
    assert torch.equal(model(ids, **reader.batch(ids)).logits, again(ids, **streams.batch(ids)).logits)
    one, other = (m.generate(ids[:, :5], max_new_tokens=5) for m in (model, again.load_streams(streams)))
    assert torch.equal(one, other)


@pytest.mark.parametrize(("rule", "feedback"), [pytest.param(DM(), True, id="dm"), pytest.param(LI(), True, id="li")])
def test_gradient_checkpointing_changes_no_gradient(readers, rule, feedback):
    reader = readers["word"]
    ids, _ = encode(reader, [TEXT])
    gradients = []
    for checkpointing in (False, True):
        model = build(reader, rule, feedback, trained=True).train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        if checkpointing:
            model.checkpoint_activations()
        model(ids, labels=ids, **reader.batch(ids)).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    assert all(value is not None for value in gradients[0].values())
    torch.testing.assert_close(*gradients)


def test_contributions_and_gates_are_reported(readers):
    reader = readers["word"]
    model = build(reader, DM(), True, trained=True)
    ids, _ = encode(reader, [TEXT])
    output = model(ids, report=True, **reader.batch(ids))
    total = torch.stack(list(output.contributions.values())).sum(0)
    assert total.shape == (3, 1, ids.shape[1])
    torch.testing.assert_close(total, torch.ones_like(total))


def test_feedback_needs_a_state_in_every_layer(readers):
    with pytest.raises(ValueError, match="option A"):
        build(readers["word"], IntegrationConfig(rule="gmu"), feedback=True)


def test_a_batch_in_which_nothing_is_to_be_written_has_a_loss_of_zero_and_a_gradient(readers):
    reader = readers["word"]
    model = build(reader, DM(), feedback=True)
    ids, _ = encode(reader, [TEXT])
    loss = model(ids, labels=torch.full_like(ids, -100), **reader.batch(ids)).loss
    assert loss.item() == 0
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_mean_over_labels_is_torchs_own_bit_for_bit(dtype):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 301, (997,), generator=generator)
    labels[torch.rand(997, generator=generator) < 0.4] = -100
    ours, torchs = (torch.randn(997, 301, generator=generator.manual_seed(1)).to(dtype).requires_grad_() for _ in "ab")
    mine, its = mean_entropy(ours, labels), torch.nn.functional.cross_entropy(torchs.float(), labels)
    mine.backward()
    its.backward()
    assert torch.equal(mine, its) and torch.equal(ours.grad, torchs.grad)
