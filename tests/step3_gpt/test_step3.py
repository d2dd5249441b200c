"""Step 3 from text to record: kills change nothing, every variant trains, every preset builds."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from common.integration import IntegrationConfig
from step3_gpt.__main__ import COMMAND
from step3_gpt.config import MATCHED, PRESETS, VARIANTS, variant
from step3_gpt.data import build_data
from step3_gpt.generate import Options, load_run, write
from step3_gpt.model import _forward_flops, build_model, flops_of, parameters_of
from step3_gpt.run import run
from step3_gpt.task import GPTTask
from tests.killed import killed_at_its_first_checkpoint, result_of
from tests.step3_gpt.conftest import runtime, tiny


@pytest.fixture(scope="module")
def finished(folder, cache, tmp_path_factory):
    config = tiny(folder, name="dm_b", also="folder", also_path=str(folder), eval_tokens=500)
    return run(config, runtime(cache, tmp_path_factory.mktemp("runs")))


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


@pytest.mark.usefixtures("auto_asked_once")
def test_what_follows_training_is_computed_in_its_number_format(folder, cache, tmp_path):
    config = tiny(folder)
    train = replace(config.train, epochs=1, precision="auto")
    made = run(replace(config, train=train), runtime(cache, tmp_path))
    assert json.loads((made / "environment.json").read_text())["precision"] in ("bf16", "fp32")


def test_generate_command_shows_the_streams(finished, capsys):
    assert COMMAND.main(["generate", "--run", str(finished), "--prompt", "the water", "--max-new-tokens", "5"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("the water") and all(name in shown for name in ("meaning", "phonetic", "morphological"))
    assert COMMAND.main(["generate", "--run", str(finished), "--prompt", "x", "--max-new-tokens", "90"]) == 2
    assert "more than the 32" in capsys.readouterr().err
    assert COMMAND.main(["generate", "--run", str(finished.parent), "--prompt", "x"]) == 2
    assert "no trained model" in capsys.readouterr().err


def test_drawn_tokens_may_be_any(finished, monkeypatch):
    """At temperature 1 and top_p 1 a model draws from its whole vocabulary, not from the likeliest alone."""
    model, whole = load_run(finished), []
    generate = model.generate
    monkeypatch.setattr(
        model, "generate", lambda *args, **options: whole.append(generate(*args, **options)) or whole[0]
    )
    written = write(model, Options(run=finished, prompt="the", max_new_tokens=25, temperature=1.0, top_p=1.0))
    ids, new = whole[0], len(written.tokens)
    logits = model(ids, **model.streams.batch(ids)).logits[0, -new - 1 : -1]
    ranks = (logits > logits.gather(1, ids[0, -new:, None])).sum(-1)
    assert ranks.max() >= 50


def test_a_run_of_another_step_is_named_and_left_alone(finished, tmp_path, capsys):
    folder = shutil.copytree(finished, tmp_path / "run")
    head = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(head | {"step": "step4_vision_language"}))
    (folder / "model" / "prefix_streams.json").unlink()
    before = sorted(folder.rglob("*"))
    assert COMMAND.main(["generate", "--run", str(folder), "--prompt", "x"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a run of step4_vision_language; name the folder of a finished run of step3_gpt" in told
    assert "control" not in told and "delete" not in told and sorted(folder.rglob("*")) == before


KILLED = """
import sys
from tests.step3_gpt.conftest import tiny, runtime
from step3_gpt.run import run
run(tiny(sys.argv[1]), runtime(sys.argv[2], sys.argv[3]))
"""


def test_killed_run_resumes_to_the_uninterrupted_result(folder, cache, tmp_path):
    whole = run(tiny(folder), runtime(cache, tmp_path / "whole"))
    killed_at_its_first_checkpoint(KILLED, [folder, cache, tmp_path / "killed"], tmp_path / "killed")
    resumed = run(tiny(folder), runtime(cache, tmp_path / "killed"))
    assert result_of(resumed) == result_of(whole)


@pytest.mark.parametrize(
    "name",
    [
        *VARIANTS,
        "noise_b",
        "gmu_a",
        "cross_attention_a",
        "dm_dropout_b",
        "dm[meaning+phonetic]_a",
        "dm_linear_shuffled_b",
        "dm_linear[meaning]_b",
    ],
)
def test_every_variant_trains_a_step(folder, cache, tmp_path, name):
    config = variant(tiny(folder), name)
    data = build_data(config, runtime(cache, tmp_path))
    task = GPTTask(build_model(config, data.corpus.tokenizer, data.vocabularies), {})
    loss, _ = task.training_forward(data.loaders["train"].collate([0, 1]))
    loss.backward()
    assert loss.isfinite() and all(p.grad is not None for p in task.parameters() if p.requires_grad)


def test_a_tokenizer_whose_saving_was_killed_is_not_taken_for_a_whole_one(folder, tmp_path, monkeypatch):
    config = tiny(folder, also="folder", also_path=str(folder))
    whole = build_data(replace(config, also="", also_path=""), runtime(tmp_path, tmp_path))

    def dies(_tokenizer, place):
        (Path(place) / "tokenizer.json").write_text("{")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PreTrainedTokenizerFast, "save_pretrained", dies)
        (tmp_path / "corpora" / f"{whole.corpus.folder.name}-tokenizer").mkdir()  # as a killed run may leave it
        build_data(config, runtime(tmp_path, tmp_path))
    again = build_data(config, runtime(tmp_path, tmp_path))
    assert again.corpora["folder"].tokenizer.get_vocab() == whole.corpus.tokenizer.get_vocab()


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


@pytest.mark.parametrize("name", MATCHED)
@pytest.mark.parametrize("options", [{}, {"granularity": "token", "alpha_noise": 0.5}, {"activation": "tanh"}])
def test_matched_baselines_are_the_plain_gpt2_whatever_the_integration(data, folder, name, options):
    config = variant(tiny(folder, integration=IntegrationConfig(**options)), name)
    torch.manual_seed(0)
    model = build_model(config, data.corpus.tokenizer, data.vocabularies).eval()
    assert model.config.integration["rule"] == "reference"
    assert not [p for module in model.parts()["integration"] for p in module.parameters()]
    plain = GPT2LMHeadModel(GPT2Config(**model.config.backbone)).eval()
    own = model.backbone.state_dict().items()
    plain.load_state_dict({key.replace(".block.", "."): value for key, value in own})
    ids = torch.randint(0, 300, (2, 32))
    torch.testing.assert_close(model(ids).logits, plain(ids).logits)


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


@pytest.mark.parametrize(
    ("name", "options", "right"),
    [
        ("dm_b", ["--integration.rule", "li"], "li_b"),
        ("dm_linear_shuffled_a", ["--integration.rule", "li"], "li_a"),
        ("dm_b", ["--option", "a"], "dm_a"),
        ("shuffled_a", ["--option", "b"], "shuffled_b"),
        ("dm[meaning+phonetic]_b", ["--option", "a"], "dm[meaning+phonetic]_a"),
    ],
)
def test_a_row_called_after_another_rule_or_option_is_refused(name, options, right, capsys):
    assert COMMAND.main(["run", "--variant", name, *options]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"the row is called {name!r}" in told and f"--variant {right}, or give the row another --name" in told
    for mine in ("mine", "plan_b", "plan_a"):
        config, _ = COMMAND.parse("quick", name, [*options, "--name", mine])
        assert config.name == mine


def test_table_command_prints_the_runs(folder, cache, tmp_path, capsys):
    options = ["--size.width", "32", "--size.layers", "1", "--size.heads", "2", "--data.name", "folder"]
    options += ["--data.path", str(folder), "--data.vocab-size", "400", "--train.epochs", "1"]
    options += ["--runtime.runs-dir", str(tmp_path), "--runtime.cache-dir", str(cache), "--runtime.no-progress"]
    assert COMMAND.main(["table", "--variants", "meaning", "dm_a", "--seeds", "0", *options]) == 0
    shown = capsys.readouterr().out
    assert "bits/byte" in shown and shown.index("\nmeaning") < shown.index("\ndm_a")
