"""Windows and their scores: every token counts once, and figures are what they are called."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from common.data.language.counts import counts_up_to
from common.data.language.masking import NOTHING
from common.data.language.prefixes import PrefixStreams
from step3_gpt.config import variant
from step3_gpt.data import Windows, build_data, counts_of
from step3_gpt.model import build_model
from step3_gpt.task import GPTTask, language_metrics
from tests.step3_gpt.conftest import runtime, tiny


@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_streams_of_a_corpus_are_those_of_its_tokens_alone(folder, cache, tmp_path, alignment):
    """What training reads of the built corpus and what generation makes of the tokens give the same logits."""
    config = tiny(folder)
    config = replace(config, streams=tuple(replace(stream, alignment=alignment) for stream in config.streams))
    data = build_data(config, runtime(cache, tmp_path))
    model = build_model(config, data.corpus.tokenizer, data.vocabularies).eval()
    for parameter in model.integration.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    first = int(data.corpus.split("validation").documents()[1])
    window = Windows(data.corpus.split("validation"), data.windows["test"].grid, 24, 1, 0, 0)
    batch = window.collate([first])
    inputs = {k: v for k, v in batch.items() if k not in ("words", "places", "source", "shift_labels")}
    alone = PrefixStreams(data.corpus.tokenizer, config.streams, data.analysers).batch(batch["input_ids"])
    torch.testing.assert_close(model(**inputs).logits, model(batch["input_ids"], **alone).logits)


def test_a_word_cut_off_by_the_window_says_nothing(data):
    """The backbone does not see how that word began, so no stream may."""
    split = data.corpus.split("train")
    starts = split.window(0, len(split)).starts
    words = split.window(0, len(split)).words
    inside = next(t for t in range(50, len(split)) if words[t] and not starts[t])
    batch = Windows(split, data.windows["train"].grid, 8, 1, 0, 0).collate([inside])
    assert batch["phonetic_index"][0, 0] == 0
    whole = Windows(split, data.windows["train"].grid, 8, 1, 0, 0).collate([int(np.flatnonzero(starts[:inside])[-1])])
    assert whole["phonetic_index"][0, 0] != 0


@pytest.mark.parametrize(("stride", "limit"), [(32, 0), (16, 0), (5, 0), (16, 100), (32, 10), (32, 33), (16, 49)])
def test_every_token_is_scored_once_with_at_least_the_stated_context(data, stride, limit):
    split = data.corpus.split("test")
    windows = Windows(split, data.windows["test"].grid, 32, stride, limit, 0)
    batch = windows.collate(list(range(windows.count)))
    scored = batch["shift_labels"] != NOTHING
    places = batch["places"][scored].numpy()
    tokens = limit or len(split)
    np.testing.assert_array_equal(places, np.arange(1, tokens))
    np.testing.assert_array_equal(batch["shift_labels"][scored].numpy(), split.window(0, tokens).tokens[1:])
    context = 1 + np.nonzero(scored.numpy())[1]
    assert (context >= np.minimum(places, 32 - stride + 1)).all()


class Constant(torch.nn.Module):
    """A model that predicts the same distribution everywhere."""

    def __init__(self, probabilities):
        super().__init__()
        self.logs = torch.nn.Parameter(torch.log(torch.as_tensor(probabilities, dtype=torch.float32)))

    def forward(self, input_ids, **inputs):
        return SimpleNamespace(logits=self.logs.expand(*input_ids.shape, -1))


def scores(data, model, split="test"):
    task = GPTTask(model, {data.windows[split].number: counts_of(data)[split]})
    windows = data.windows[split]
    return task.metrics(
        {k: v.detach().numpy() for k, v in task.predict_forward(windows.collate(list(range(windows.count)))).items()}
    )


def test_uniform_and_unigram_models_get_their_analytic_values(data):
    vocabulary = len(data.corpus.tokenizer)
    tokens = data.corpus.split("test").window(0, len(data.corpus.split("test"))).tokens[1:]
    counts = data.corpus.split("test").counts
    uniform = scores(data, Constant(np.full(vocabulary, 1 / vocabulary)))
    assert uniform["token_perplexity"] == pytest.approx(vocabulary, rel=1e-5)
    assert uniform["bits_per_byte"] == pytest.approx(len(tokens) * math.log2(vocabulary) / counts.bytes, rel=1e-5)
    assert uniform["word_perplexity"] == pytest.approx(vocabulary ** (len(tokens) / counts.words), rel=1e-4)
    frequency = np.bincount(tokens, minlength=vocabulary) / len(tokens)
    entropy = -(frequency[frequency > 0] * np.log(frequency[frequency > 0])).sum()
    unigram = scores(data, Constant(np.maximum(frequency, 1e-30)))
    assert unigram["loss"] == pytest.approx(entropy, rel=1e-5)


def test_perplexity_equals_that_of_a_plain_loop_over_windows(folder, cache, tmp_path):
    """The sliding-window recipe of `transformers`' documentation, with its own GPT-2 and its own loss."""
    config = variant(tiny(folder, stride=12), "meaning")
    data = build_data(config, runtime(cache, tmp_path))
    model = build_model(config, data.corpus.tokenizer, data.vocabularies).eval()
    split = data.corpus.split("test")
    ids = torch.from_numpy(split.window(0, len(split)).tokens)[None]
    plain, total, before = model.backbone, 0.0, 0
    model._pass = None
    for begin in range(0, ids.shape[1] - 1, 12):
        end = min(begin + 33, ids.shape[1])
        labels = ids[:, begin:end].clone()
        new = end - 1 - before if begin else end - 1
        labels[:, : labels.shape[1] - new] = NOTHING
        with torch.no_grad():
            logits = plain(ids[:, begin : end - 1]).logits
        total += torch.nn.functional.cross_entropy(
            logits[0], labels[0, 1:], ignore_index=NOTHING, reduction="sum"
        ).item()
        before = end - 1
        if end == ids.shape[1]:
            break
    found = scores(data, model)
    assert found["tokens"] == ids.shape[1] - 1
    assert found["loss"] == pytest.approx(total / (ids.shape[1] - 1), rel=1e-5)


def test_words_and_bytes_of_a_part_add_up_to_those_of_the_whole(data):
    split, tokenizer = data.corpus.split("test"), data.corpus.tokenizer
    part = counts_up_to(tokenizer, split, len(split) - 1)
    last = tokenizer.decode(split.window(len(split) - 1, len(split)).tokens.tolist())
    assert part.bytes + len(last.encode()) == split.counts.bytes
    assert abs(part.words - split.counts.words) <= 1 and part.documents == split.counts.documents
    assert counts_up_to(tokenizer, split, len(split)) == split.counts


def test_nothing_scored_gives_no_infinite_figures():
    counts = SimpleNamespace(words=10, bytes=50)
    assert math.isfinite(language_metrics(np.full(1000, 20.0), counts)["word_perplexity"])
