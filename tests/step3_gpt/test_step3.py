"""Step 3 from text to record: nothing leaks, every token is scored once, figures are what they are called."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from common.data.language import CorpusConfig
from common.data.language.counts import counts_up_to
from common.data.language.prefixes import PrefixStreams
from common.integration import IntegrationConfig
from common.streams.config import StreamConfig
from common.training.config import LanguageTrainConfig, RuntimeConfig
from step3_gpt.__main__ import COMMAND
from step3_gpt.config import PRESETS, VARIANTS, GPTConfig, SizeConfig, variant
from step3_gpt.data import IGNORED, Windows, build_data, counts_of
from step3_gpt.model import _forward_flops, build_model, flops_of, parameters_of
from step3_gpt.run import run
from step3_gpt.task import GPTTask, language_metrics
from tests.common.data.language.texts import write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("step3") / "texts")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def tiny(folder, **options):
    streams = tuple(
        StreamConfig(kind=k, width=16, layers=2, heads=2, dropout=0.0) for k in ("phonetic", "morphological")
    )
    train = LanguageTrainConfig(
        epochs=2, batch_size=8, max_length=32, lr_backbone=2e-3, lr_streams=2e-3, precision="fp32", bucket=False,
        checkpoint_every=3, select_metric="loss", select_mode="min",
    )  # fmt: skip
    config = GPTConfig(
        size=SizeConfig(width=32, layers=2, heads=2), streams=streams, train=train,
        data=CorpusConfig(name="folder", path=str(folder), vocab_size=400),
    )  # fmt: skip
    return replace(config, **options)


def runtime(cache, tmp_path, **options):
    return RuntimeConfig(
        runs_dir=str(tmp_path), cache_dir=str(cache), progress=False, threads=1, device="cpu", **options
    )


@pytest.fixture(scope="module")
def finished(folder, cache, tmp_path_factory):
    config = tiny(folder, name="dm_b", also="folder", also_path=str(folder), eval_tokens=500)
    return run(config, runtime(cache, tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def data(folder, cache, tmp_path_factory):
    return build_data(tiny(folder), runtime(cache, tmp_path_factory.mktemp("unused")))


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
    scored = batch["shift_labels"] != IGNORED
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
        labels[:, : labels.shape[1] - new] = IGNORED
        with torch.no_grad():
            logits = plain(ids[:, begin : end - 1]).logits
        total += torch.nn.functional.cross_entropy(
            logits[0], labels[0, 1:], ignore_index=IGNORED, reduction="sum"
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


def test_record_is_complete(finished):
    final = json.loads((finished / "final.json").read_text())
    for split in ("validation", "test", "folder"):
        assert final[f"{split}_token_perplexity"] == pytest.approx(math.exp(final[f"{split}_loss"]))
        assert final[f"{split}_tokens"] == 499
    frame = pd.read_parquet(finished / "predictions_test.parquet")
    assert list(frame["place"]) == list(range(1, 500)) and frame["nll"].mean() == pytest.approx(final["test_loss"])
    assert not (finished / "predictions_validation.parquet").exists()
    traced = pd.read_csv(finished / "alphas.csv")
    assert {"alpha", "contribution", "gate", "gradient"} <= set(traced["quantity"])
    environment = json.loads((finished / "environment.json").read_text())
    assert environment["context"] == 32 and environment["stride"] == 16
    assert (finished / "model" / "prefix_streams.json").exists() and not (finished / "checkpoints").exists()


def test_generate_command_shows_the_streams(finished, capsys):
    assert COMMAND.main(["generate", "--run", str(finished), "--prompt", "the water", "--max-new-tokens", "5"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("the water") and all(name in shown for name in ("meaning", "phonetic", "morphological"))
    assert COMMAND.main(["generate", "--run", str(finished), "--prompt", "x", "--max-new-tokens", "90"]) == 2
    assert "more than the 32" in capsys.readouterr().err
    assert COMMAND.main(["generate", "--run", str(finished.parent), "--prompt", "x"]) == 2
    assert "no trained model" in capsys.readouterr().err


KILLED = """
import sys
from tests.step3_gpt.test_step3 import tiny, runtime
from step3_gpt.run import run
run(tiny(sys.argv[1]), runtime(sys.argv[2], sys.argv[3]))
"""


def test_killed_run_resumes_to_the_uninterrupted_result(folder, cache, tmp_path):
    whole = run(tiny(folder), runtime(cache, tmp_path / "whole"))
    command = [sys.executable, "-c", KILLED, str(folder), str(cache), str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("killed/*/*/checkpoints/last.ckpt")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = run(tiny(folder), runtime(cache, tmp_path / "killed"))
    one, other = (json.loads((path / "final.json").read_text()) for path in (whole, resumed))
    timing = {"step_time_ms", "train_seconds"}
    assert {k: v for k, v in one.items() if k not in timing} == {k: v for k, v in other.items() if k not in timing}


@pytest.mark.parametrize(
    "name", [*VARIANTS, "noise_b", "gmu_a", "cross_attention_a", "dm_dropout_b", "dm[meaning+phonetic]_a"]
)
def test_every_variant_trains_a_step(folder, cache, tmp_path, name):
    config = variant(tiny(folder), name)
    data = build_data(config, runtime(cache, tmp_path))
    task = GPTTask(build_model(config, data.corpus.tokenizer, data.vocabularies), {})
    loss, _ = task.training_forward(data.loaders["train"].collate([0, 1]))
    loss.backward()
    assert loss.isfinite() and all(p.grad is not None for p in task.parameters() if p.requires_grad)


def test_matched_baselines_match(folder, cache, tmp_path):
    config = tiny(folder)
    data = build_data(config, runtime(cache, tmp_path))
    build = lambda c: build_model(c, data.corpus.tokenizer, data.vocabularies)  # noqa: E731
    ours = build(variant(config, "dm_b"))
    params, flops = build(variant(config, "meaning_params")), build(variant(config, "meaning_flops"))
    count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    assert count(params) == pytest.approx(count(ours), rel=0.01)
    assert _forward_flops(flops, 32) == pytest.approx(_forward_flops(ours, 32), rel=0.02)
    assert not params.secondary.configs and count(params) > count(build(variant(config, "meaning")))


def test_size_formulas_count_what_the_model_has(data, folder):
    plain = variant(tiny(folder), "meaning")
    model = build_model(plain, data.corpus.tokenizer, {})
    size, vocabulary = plain.size, len(data.corpus.tokenizer)
    assert parameters_of(size, vocabulary, 32) == sum(p.numel() for p in model.parameters())
    assert flops_of(size, vocabulary, 32) * 32 == pytest.approx(_forward_flops(model, 32), rel=1e-6)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_the_command_line(name):
    config, _ = COMMAND.parse(name, "dm_b", ["--train.seed", "3"])
    assert config.train.seed == 3 and config == replace(variant(PRESETS[name](), "dm_b"), train=config.train)


def test_bad_configs_are_refused(folder, data):
    with pytest.raises(ValueError, match="ends in its option"):
        variant(tiny(folder), "dm")
    with pytest.raises(ValueError, match="stride"):
        tiny(folder, stride=64)
    with pytest.raises(ValueError, match="take option b"):
        build_model(variant(tiny(folder), "scalar_mix_a"), data.corpus.tokenizer, data.vocabularies)
    with pytest.raises(ValueError, match="take option A"):
        build_model(variant(tiny(folder), "gmu_b"), data.corpus.tokenizer, data.vocabularies)
    with pytest.raises(ValueError, match="option"):
        tiny(folder, option="c")
    with pytest.raises(ValueError, match="names a corpus"):
        tiny(folder, also="test")
    with pytest.raises(ValueError, match="balance|integration|option"):
        build_model(
            tiny(folder, integration=IntegrationConfig(rule="concat", granularity="token")), data.corpus.tokenizer,
            data.vocabularies,
        )  # fmt: skip


def test_nothing_scored_gives_no_infinite_figures():
    counts = SimpleNamespace(words=10, bytes=50)
    assert math.isfinite(language_metrics(np.full(1000, 20.0), counts)["word_perplexity"])


def test_table_command_prints_the_runs(folder, cache, tmp_path, capsys):
    options = ["--size.width", "32", "--size.layers", "1", "--size.heads", "2", "--data.name", "folder"]
    options += ["--data.path", str(folder), "--data.vocab-size", "400", "--train.epochs", "1"]
    options += ["--runtime.runs-dir", str(tmp_path), "--runtime.cache-dir", str(cache), "--runtime.no-progress"]
    assert COMMAND.main(["table", "--variants", "meaning", "dm_a", "--seeds", "0", *options]) == 0
    shown = capsys.readouterr().out
    assert "bits/byte" in shown and shown.index("\nmeaning") < shown.index("\ndm_a")
