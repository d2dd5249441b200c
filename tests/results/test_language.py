"""Tables and figures of language models from synthetic records: right numbers, paired by seed and token."""

import json

import numpy as np
import pandas as pd
import pytest

from results import table3_gpt
from results.figure_mlm.make import make as make_figures
from results.make import make as make_all
from results.reader import RecordError, load_runs
from results.slices import contribution_by_slice, gain_by_slice, slices
from results.table2_mlm.configs import METRICS, VARIANTS
from results.table2_mlm.make import COLUMNS, make
from results.table3_gpt.make import make as make_gpt
from results.tokens import BLOCK, block_scores, captions, shuffled_twin, token_losses, token_table

TOKENS = 2000


def record(root, name, seed, nll, tokens=TOKENS, streams=("phonetic",), text="f00d", step="step2_mlm", **final):
    """A run folder of a language model whose predictions have the given negative log-likelihoods ``[tokens]``."""
    config = {
        "name": name, "backbone": "minilm", "streams": [{"kind": stream} for stream in streams],
        "integration": {"rule": "reference" if name == "meaning" else name},
        "data": {"name": "folder", "path": "/somewhere/novels"}, "train": {"seed": seed, "epochs": 1, "max_length": 32},
    }  # fmt: skip
    folder = root / step / f"{name}-{seed}"
    folder.mkdir(parents=True)
    write = lambda file, content: (folder / file).write_text(json.dumps(content))  # noqa: E731
    write("config.json", {"step": step, "name": name, "hash": f"{name}{seed}", "config": config})
    write("status.json", {"status": "finished", "step": 4, "message": "", "last_good_checkpoint": ""})
    write("environment.json", {
        "data_name": "folder", "data_used_tokens": {"train": 9000, "test": 5000}, "tokenizer_entries": 300,
        "data_counts": {"test": {"tokens": 6000, "words": 4000}}, "context": 32, "stride": 16,
        "data_text_hashes": {"test": "0123456789abcdef"}, "cpu": "Test CPU", "gpu": "", "torch": "2.15.0",
        "backbone_source": "packaged", "data_fingerprint": text,
    })  # fmt: skip
    loss = float(np.float32(nll).astype(np.float64).mean())
    write("final.json", {
        "test_loss": loss, "test_perplexity": np.exp(loss), "test_accuracy": 0.25, "test_tokens": tokens,
        "validation_loss": loss, "parameters": 1000 + 100 * len(streams), "parameters_integration": 10,
        "parameters_streams": 90 * len(streams), "flops_per_token": 2e6, "step_time_ms": 5.0, "best_step": 4,
        **final,
    })  # fmt: skip
    random = np.random.default_rng(0)  # the same tokens in every record
    frame = pd.DataFrame({
        "place": np.sort(random.choice(10 * tokens, tokens, replace=False)).astype(np.int32),
        "token": random.integers(0, 300, tokens), "nll": np.float32(nll), "entropy": np.float32(nll),
        "right": random.random(tokens) < 0.25, "train_count": random.choice([0, 3, 30, 300, 3000, 30000], tokens),
        "morphemes": random.integers(0, 4, tokens).astype(np.int8), "homophone": random.random(tokens) < 0.2,
    })  # fmt: skip
    if name != "meaning":
        frame["contribution_meaning"], frame["contribution_phonetic"] = 0.7, 0.3
    frame.to_parquet(folder / "predictions_test.parquet", index=False)
    metrics = [(s, s / 4, split, "loss", 9.0 - s) for s in (2, 4) for split in ("train", "validation")]
    pd.DataFrame(metrics, columns=["step", "epoch", "split", "metric", "value"]).to_csv(
        folder / "metrics.csv", index=False
    )
    traces = [(4, quantity, stream, site, 0.5) for quantity in ("alpha", "contribution")
              for stream in ("meaning", "phonetic") for site in (0, 1)]  # fmt: skip
    pd.DataFrame(traces, columns=["step", "quantity", "stream", "site", "value"]).to_csv(
        folder / "alphas.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("records")
    random = np.random.default_rng(1)
    base = random.gamma(2.0, 1.5, TOKENS)
    for seed in range(3):
        noise = random.normal(0, 0.05, (3, TOKENS))
        record(root, "meaning", seed, base + noise[0], streams=())
        record(root, "dm", seed, base + noise[1] - 0.2)
        record(root, "li", seed, base + noise[2])
    return root


@pytest.fixture(scope="module")
def runs(root):
    return load_runs(root)


def test_rows_say_how_much_better_a_token_is_predicted(runs):
    frame = token_table(runs, VARIANTS, METRICS).set_index("variant")
    assert list(frame.index) == ["meaning", "dm", "li"] and (frame["section"] == "novels, minilm").all()
    assert frame.loc["dm", "difference"] == pytest.approx(-0.2, abs=0.01)
    assert frame.loc["dm", "difference_high"] < 0 and frame.loc["dm", "difference_p_holm"] < 0.05
    assert frame.loc["li", "difference_low"] < 0 < frame.loc["li", "difference_high"]
    assert frame.loc["li", "difference_p_holm"] > 0.05 and np.isnan(frame.loc["meaning", "difference"])
    losses = [run.final["test_perplexity"] for run in runs if run.name == "dm"]
    assert frame.loc["dm", "perplexity_mean"] == pytest.approx(np.mean(losses))
    assert frame.loc["dm", "parameters_ratio"] == pytest.approx(1.1)
    (note,) = captions(runs, token_table(runs, VARIANTS, METRICS)).values()
    assert "Configurations trained on these data, seeds apart: 3." in note and "5,000 of 6,000 tokens, 2,000" in note


def test_block_scores_keep_the_mean_and_join_neighbours(runs):
    frame = token_losses(runs[0])
    scores = block_scores([frame])
    assert scores.mean() == pytest.approx(frame["nll"].mean(), rel=1e-6)
    assert scores.shape[1] == len(set(frame.index // BLOCK)) < len(frame)


def test_runs_on_other_tokens_are_not_compared(runs):
    frames = [token_losses(run) for run in runs[:2]]
    with pytest.raises(RecordError, match="different tokens"):
        block_scores([frames[0], frames[1].iloc[1:]])


def test_predictions_that_contradict_the_record_are_refused(root, tmp_path):
    folder = record(tmp_path, "meaning", 0, np.ones(TOKENS), streams=())
    final = json.loads((folder / "final.json").read_text())
    (folder / "final.json").write_text(json.dumps(final | {"test_loss": 1.1}))
    with pytest.raises(RecordError, match="run it again"):
        token_losses(load_runs(tmp_path)[0])


def test_tokens_without_a_loss_are_refused(tmp_path):
    """A sum that skips them would make a model that broke down look good."""
    losses = np.ones(TOKENS)
    losses[3] = np.nan
    folder = record(tmp_path, "meaning", 0, losses, streams=())
    final = json.loads((folder / "final.json").read_text())
    (folder / "final.json").write_text(json.dumps(final | {"test_loss": 1.0}))
    with pytest.raises(RecordError, match="run it again"):
        token_losses(load_runs(tmp_path)[0])


def test_a_gain_that_shuffled_streams_have_too_is_not_theirs(tmp_path):
    """Against its own rule on streams of the wrong words: DM's gain is the streams', that of DM-linear the rule's."""
    random = np.random.default_rng(2)
    base = random.gamma(2.0, 1.5, TOKENS)
    gains = {"meaning": 0.0, "shuffled": 0.0, "dm": 0.2, "dm_linear": 0.3, "dm_linear_shuffled": 0.3, "li": 0.2}
    for seed in range(3):
        for name, gain in gains.items():
            record(tmp_path, name, seed, base + random.normal(0, 0.05, TOKENS) - gain)
    frame = token_table(load_runs(tmp_path), list(gains), METRICS).set_index("variant")
    assert frame.loc["dm", "told"] == pytest.approx(-0.2, abs=0.01) and frame.loc["dm", "told_high"] < 0
    assert frame.loc["dm_linear", "told_low"] < 0 < frame.loc["dm_linear", "told_high"]
    assert frame.loc["dm_linear", "difference_p_holm"] < 0.05
    fewer = token_table(load_runs(tmp_path), ["meaning", "dm"], METRICS).set_index("variant")  # the twin has no row
    assert fewer.loc["dm", "told"] == frame.loc["dm", "told"]
    assert frame.loc[["meaning", "shuffled", "dm_linear_shuffled", "li"], "told"].isna().all()  # li has no such row
    names = {"dm": "shuffled", "dm_a": "shuffled_a", "dm_linear_b": "dm_linear_shuffled_b", "li": "li_shuffled"}
    assert {name: shuffled_twin(name) for name in names} == names


def test_slices_part_the_words(runs):
    frame = token_losses(runs[0])
    found = slices(frame, frame["entropy"])
    words = (frame["morphemes"] > 0).to_numpy()
    for family in ("count in training", "morphemes", "homophones"):
        parts = np.stack([mask for (name, _), mask in found.items() if name == family])
        np.testing.assert_array_equal(parts.sum(0), words)
    quarters = np.stack([mask for (name, _), mask in found.items() if name == "context"])
    assert (quarters.sum(0) == 1).all() and (abs(quarters.sum(1) - TOKENS / 4) <= 1).all()


def test_gain_and_contribution_by_slice(runs):
    by_name = {name: [run for run in runs if run.name == name] for name in ("meaning", "dm")}
    gains = gain_by_slice(by_name)
    assert set(gains["variant"]) == {"dm"} and gains["difference"].to_numpy() == pytest.approx(-0.2, abs=0.05)
    assert (gains["low"] < gains["difference"]).all() and (gains["difference"] < gains["high"]).all()
    shares = contribution_by_slice(by_name)
    assert shares.groupby("stream")["contribution"].mean().to_dict() == pytest.approx({"meaning": 0.7, "phonetic": 0.3})


def test_files_are_written(runs, records, tmp_path):
    """Also beside the records of another step."""
    runs = [*load_runs(records), *runs]
    paths = make(runs, tmp_path)
    assert {path.name for path in paths} == {"table.csv", "table.md", "table.tex"}
    shown = (tmp_path / "table.md").read_text()
    # A column without any value is left out: no steps were timed, and no row has shuffled streams.
    measured = [header for header in COLUMNS if header != "step ms" and "shuffled" not in header]
    assert all(header in shown for header in measured) and "No finished run yet of: duplicate" in shown
    figures = {path.name for path in make_figures(runs, tmp_path)}
    for name in ("alpha_by_site", "gain_by_slice", "contribution_by_slice", "loss"):
        assert f"novels_minilm-{name}.pdf" in figures
    everything = make_all(runs, tmp_path / "all")
    assert (tmp_path / "all" / "table2_mlm" / "table.csv") in everything


def test_table_3_has_bits_per_byte_of_both_texts(runs, root, tmp_path):
    """A text that some run did not score is a dash there, and steps are not mixed."""
    base = np.random.default_rng(1).gamma(2.0, 1.5, TOKENS)
    for seed in range(2):
        for name, gain in (("meaning", 0.0), ("dm_b", 0.1)):
            final = {"test_bits_per_byte": 2.5 - gain, "test_word_perplexity": 1e4, "test_token_perplexity": 90.0}
            if name == "dm_b":
                final |= {"wikitext-2_bits_per_byte": 3.25, "wikitext-2_word_perplexity": 2e4}
            record(tmp_path / "runs", name, seed, base - gain, step="step3_gpt", **final)
    paths = make_gpt([*runs, *load_runs(tmp_path / "runs")], tmp_path / "table")
    assert {path.name for path in paths} == {"table.csv", "table.md", "table.tex"}
    frame = pd.read_csv(tmp_path / "table" / "table.csv").set_index("variant")
    assert list(frame.index) == ["meaning", "dm_b"]
    assert frame.loc["dm_b", "bits_mean"] == 2.4 and frame.loc["dm_b", "other_bits_mean"] == 3.25
    assert np.isnan(frame.loc["meaning", "other_bits_mean"])
    assert frame.loc["dm_b", "difference"] == pytest.approx(-0.1, abs=1e-6)
    folder = tmp_path / "all"
    figures = make_all(load_runs(tmp_path / "runs"), folder)
    assert folder / table3_gpt.__name__.split(".")[-1] / "table.csv" in figures
    assert folder / "figure_gpt" / "novels_minilm-gain_by_slice.pdf" in figures
    assert not (folder / "table2_mlm").exists()
