"""Step 2 from text to record: no masked word leaks, kills change nothing, every preset builds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from common.data.language import CorpusConfig
from common.data.language.masking import NOTHING, MaskConfig
from common.evaluation.word_facts import word_facts
from common.integration.mixing_weights import MixingWeights
from common.streams.analyser import PAD
from common.streams.config import StreamConfig
from common.training.config import RuntimeConfig, TrainConfig
from common.variants import row
from step2_mlm import data as data_module
from step2_mlm.__main__ import COMMAND
from step2_mlm.config import PRESETS, MaskedLMConfig, ScratchConfig
from step2_mlm.data import build_data
from step2_mlm.model import build_model
from step2_mlm.run import run
from step2_mlm.task import MaskedLMTask
from tests.common.data.language.texts import write_folder
from tests.killed import killed_at_its_first_checkpoint, result_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("step2") / "texts")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def tiny(folder, **options):
    streams = tuple(StreamConfig(kind=kind, width=16, layers=2, heads=2) for kind in ("phonetic", "morphological"))
    train = TrainConfig(
        epochs=2, batch_size=8, max_length=32, lr_backbone=1e-3, precision="fp32", bucket=False, checkpoint_every=2,
        select_metric="loss", select_mode="min",
    )  # fmt: skip
    config = MaskedLMConfig(
        scratch=ScratchConfig(width=32, layers=2, heads=2), streams=streams,
        data=CorpusConfig(name="folder", path=str(folder), vocab_size=400), train=train,
    )  # fmt: skip
    return replace(config, **options)


def runtime(cache, tmp_path):
    return RuntimeConfig(runs_dir=str(tmp_path), cache_dir=str(cache), progress=False, threads=1, device="cpu")


@pytest.fixture(scope="module")
def finished(folder, cache, tmp_path_factory):
    return run(tiny(folder), runtime(cache, tmp_path_factory.mktemp("runs")))


@pytest.mark.parametrize("unit", ["word", "token"])
@pytest.mark.parametrize("alignment", ["word", "attention"])
@pytest.mark.parametrize("name", ["dm", "li", "shuffled"])
def test_a_masked_word_reaches_no_logit_through_any_stream(folder, cache, tmp_path, monkeypatch, unit, alignment, name):
    """Give every masked word other phonemes and morphemes: not one logit changes. Given to the rest, they do."""
    base = tiny(folder, mask=MaskConfig(unit=unit))
    base = replace(base, streams=tuple(replace(stream, alignment=alignment) for stream in base.streams))
    config = row(base, name)
    data = build_data(config, runtime(cache, tmp_path))
    torch.manual_seed(0)
    model = build_model(config, data.corpus.tokenizer, data.vocabularies).eval()
    for module in model.modules():
        if isinstance(module, MixingWeights):
            for parameter in module.parameters():
                torch.nn.init.normal_(parameter)
    for join in getattr(model.integration, "joins", []):
        torch.nn.init.normal_(join.weight, std=0.1)
    windows = data.windows["validation"]

    def logits(replace_words):
        original = data_module.GridStreams.batch

        def other(grid, numbers, starts, places, hidden=None):
            return original(grid, np.where(replace_words(hidden), 5, numbers), starts, places, hidden)

        monkeypatch.setattr(data_module.GridStreams, "batch", other)
        batch = windows.collate([0, 1, 2, 3], 0)
        monkeypatch.undo()
        return model(**{k: v for k, v in batch.items() if k not in ("words", "places")}).logits, batch

    true, batch = logits(lambda hidden: np.zeros_like(hidden))
    masked, _ = logits(lambda hidden: hidden)
    assert (batch["labels"] != NOTHING).any()
    assert torch.equal(true, masked)
    others, _ = logits(lambda hidden: ~hidden)
    assert not torch.equal(true, others)


@pytest.mark.parametrize("unit", ["word", "token"])
def test_a_word_that_the_window_cuts_is_known_to_both_alignments(folder, cache, tmp_path, unit):
    """The sequence of pieces that the grid attends to is that of the words' pieces, one word after the other."""
    found = {}
    for alignment in ("word", "attention"):
        config = tiny(folder, mask=MaskConfig(unit=unit))
        config = replace(config, streams=tuple(replace(stream, alignment=alignment) for stream in config.streams))
        found[alignment] = build_data(config, runtime(cache, tmp_path)).windows["train"]
    split, inner, cut = found["word"].split, found["word"].inner, 0
    for item in range(found["word"].count):
        by_word, by_sequence = (found[alignment].collate([item], 0) for alignment in ("word", "attention"))
        window = split.window(item * inner, min((item + 1) * inner, len(split)))
        _, first = np.unique(np.cumsum(window.starts), return_index=True)  # the cut word's tokens come before any start
        first = first[window.words[first] != 0]
        cut += bool(not window.starts[0] and window.words[0])
        for stream in ("phonetic", "morphological"):
            pieces = by_word[f"{stream}_pieces"][by_word[f"{stream}_index"][0, 1 + first]].flatten()
            known = by_sequence[f"{stream}_sequence"][0]
            assert torch.equal(known[known != PAD], pieces[pieces != PAD])
    assert cut


def test_where_words_begin_is_not_read_when_they_are_gathered(folder, cache, tmp_path, monkeypatch):
    windows = build_data(tiny(folder), runtime(cache, tmp_path)).windows["train"]
    items = list(range(windows.count))
    true, original = windows.collate(items, 0), data_module.GridStreams.batch

    def without(grid, numbers, starts, places, hidden=None):
        return original(grid, numbers, np.zeros_like(starts), places, hidden)

    monkeypatch.setattr(data_module.GridStreams, "batch", without)
    other = windows.collate(items, 0)
    assert true.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in true.items())


def test_record_is_complete(finished):
    final = json.loads((finished / "final.json").read_text())
    assert final["test_perplexity"] == pytest.approx(np.exp(final["test_loss"]))
    frame = pd.read_parquet(finished / "predictions_test.parquet")
    assert len(frame) == final["test_tokens"] and frame["place"].is_monotonic_increasing
    assert frame["nll"].mean() == pytest.approx(final["test_loss"], rel=1e-5)
    assert frame["right"].mean() == pytest.approx(final["test_accuracy"])
    shares = frame.filter(like="contribution_").sum(axis=1)
    np.testing.assert_allclose(shares, 1, atol=1e-5)
    environment = json.loads((finished / "environment.json").read_text())
    assert environment["data_counts"]["test"]["documents"] == 4 and environment["data_used_tokens"]["train"] > 1000
    assert (finished / "model" / "config.json").exists() and not (finished / "checkpoints").exists()


@pytest.mark.usefixtures("auto_asked_once")
def test_what_follows_training_is_computed_in_its_number_format(folder, cache, tmp_path):
    config = tiny(folder)
    train = replace(config.train, epochs=1, precision="auto")
    made = run(replace(config, train=train), runtime(cache, tmp_path))
    assert json.loads((made / "environment.json").read_text())["precision"] in ("bf16", "fp32")


def test_evaluation_masks_are_the_same_for_every_seed_and_variant(folder, cache, tmp_path):
    places = []
    for seed, name in ((0, "dm"), (1, "meaning")):
        config = tiny(folder)
        config = row(replace(config, train=replace(config.train, seed=seed)), name)
        data = build_data(config, runtime(cache, tmp_path))
        places.append(data.windows["test"].collate([0, 1], 3 if seed else 0)["labels"])
    other = build_data(tiny(folder, mask_seed=1), runtime(cache, tmp_path)).windows["test"].collate([0, 1], 0)["labels"]
    # The loader asks for epoch 0 in evaluation whatever the epoch of training.
    first = [data.loaders["test"].collate([0, 1])["labels"] for _ in range(2)]
    assert torch.equal(*first)
    assert torch.equal(places[0], first[0]) and not torch.equal(places[0], other)


def test_training_masks_change_with_the_epoch(folder, cache, tmp_path):
    windows = build_data(tiny(folder), runtime(cache, tmp_path)).windows["train"]
    one, same, two = (windows.collate([0], epoch)["labels"] for epoch in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, two)


KILLED = """
import sys
from tests.step2_mlm.test_step2 import tiny, runtime
from step2_mlm.run import run
run(tiny(sys.argv[1]), runtime(sys.argv[2], sys.argv[3]))
"""


def test_killed_run_resumes_to_the_uninterrupted_result(folder, cache, finished, tmp_path):
    killed_at_its_first_checkpoint(KILLED, [folder, cache, tmp_path], tmp_path)
    resumed = run(tiny(folder), runtime(cache, tmp_path))
    assert result_of(resumed) == result_of(finished)


def test_facts_of_words(folder, cache, tmp_path):
    data = build_data(tiny(folder), runtime(cache, tmp_path))
    facts = word_facts(data.corpus, progress=False)
    number = {string: n for n, string in enumerate(data.corpus.strings())}
    assert facts.train_count[number["water"]] > 0 and facts.train_count[number[""]] == 0
    assert facts.morphemes[number["water"]] >= 1 and facts.morphemes[number["."]] == 0
    assert not facts.homophone[number["."]]


def test_homophones_share_a_sound_and_not_a_spelling(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "train.txt").write_text("their house is there . There the sea , see\n" * 30)
    (texts / "test.txt").write_text("houses they're by the sea\n")
    (texts / "validation.txt").write_text("houses\n")
    data = build_data(tiny(texts), runtime(tmp_path / "cache", tmp_path))
    homophone = word_facts(data.corpus, progress=False).homophone
    found = {string for n, string in enumerate(data.corpus.strings()) if homophone[n]}
    assert {"their", "there", "There", "sea", "see", "they're"} <= found and not {"house", "the", "is"} & found


@pytest.mark.parametrize(
    "name",
    [
        "meaning", "duplicate", "shuffled", "concat", "gmu", "dm", "dm_linear", "dm_linear_shuffled",
        "dm_linear[meaning]", "li", "li_shuffled", "li_soma",
    ],
)  # fmt: skip
def test_every_variant_trains_a_step_from_a_pretrained_backbone(folder, cache, tmp_path, name):
    config = row(tiny(folder, backbone="tiny-bert"), name)
    data = build_data(config, runtime(cache, tmp_path))
    task = MaskedLMTask(build_model(config, data.corpus.tokenizer, data.vocabularies), word_facts(data.corpus, False))
    loss, _ = task.training_forward(data.loaders["train"].collate([0, 1]))
    loss.backward()
    assert loss.isfinite() and all(p.grad is not None for p in task.parameters() if p.requires_grad)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_the_command_line(name):
    config, _ = COMMAND.parse(name, "dm", ["--train.seed", "3"])
    assert config.train.seed == 3 and config == replace(row(PRESETS[name](), "dm"), train=config.train)


def test_bad_configs_are_refused(folder, cache, tmp_path):
    with pytest.raises(ValueError, match="needs it"):
        row(tiny(folder), "dm[phonetic]")
    with pytest.raises(ValueError, match="too short"):
        tiny(folder, train=TrainConfig(max_length=4))
    with pytest.raises(ValueError, match="no mask token"):
        build_data(tiny(folder, backbone=str(_gpt2(tmp_path))), runtime(cache, tmp_path))


def _gpt2(tmp_path):
    from common.data.language.tokenizers import train_tokenizer
    from tests.common.data.language.texts import config, units_of, write_folder

    texts = write_folder(tmp_path / "bpe")
    train_tokenizer(config(texts), units_of(texts)).save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def test_table_command_prints_the_runs(folder, cache, tmp_path, capsys):
    options = ["--scratch.width", "32", "--scratch.layers", "1", "--scratch.heads", "2", "--data.name", "folder"]
    options += ["--data.path", str(folder), "--data.vocab-size", "400", "--train.epochs", "1"]
    options += ["--runtime.runs-dir", str(tmp_path), "--runtime.cache-dir", str(cache), "--runtime.no-progress"]
    assert COMMAND.main(["table", "--variants", "meaning", "dm", "--seeds", "0", *options]) == 0
    shown = capsys.readouterr().out
    assert "perplexity" in shown and shown.index("\nmeaning") < shown.index("\ndm")
    assert COMMAND.main(["table", "--variants", "meaning", "dm", "--seeds", "0", *options]) == 0
    assert "skipped" in capsys.readouterr().out
