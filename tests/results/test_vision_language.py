"""Table 4 and its figures from synthetic records: right numbers, paired by seed and sample, tasks kept apart."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from results.catalogue import catalogue
from results.collect import collect
from results.costs import fitting_step_times
from results.figure_vision_language.losses import validation_losses
from results.figure_vision_language.make import make as make_figures
from results.figure_vision_language.needs import accuracy_by_need
from results.make import make as make_all
from results.reader import RecordError, load_runs
from results.readme import updated, vision_language
from results.states import state_of
from results.table4_vision_language.configs import RANKS, RECALLS, TASKS, VARIANTS
from results.table4_vision_language.make import columns_of, make
from results.table4_vision_language.rows import captions, task_frame
from results.vision_language import example_scores, sections, task_of

SAMPLES = 300
IDS = [f"test-{k}" for k in range(SAMPLES)]
DATA = {"caption": "flickr8k", "question": "scenes"}
PARAMETERS = {"no_image": 1000, "projector": 1100, "dm": 1050, "li": 1200}


def record(root, name, seed, tested, task="caption", fingerprint="f00d", backbone="scratch", final=(), **settings):
    """A run folder of step 4.

    Args:
        tested: columns of texts.parquet, or of predictions_test.parquet where they are sample and rank.
        final: further content of final.json.
        settings: of the config.
    """
    streams = [{"kind": "vision"}] if name in ("dm", "li") else []
    retrieve = "rank" in tested
    config = {
        "name": name, "backbone": backbone, "streams": streams, "size": {"layers": 2}, "vocab_size": 300,
        "objective": "retrieve" if retrieve else "generate",
        "integration": {"rule": name if streams else "reference"}, "vision": {"name": "timm/tiny", "weights": "x.npz"},
        "data": {"name": DATA[task], "scene_task": task}, "train": {"seed": seed, "epochs": 1}, **settings,
    }  # fmt: skip
    folder = root / "step4_vision_language" / f"{name}-{task}-{config['objective']}-{seed}-{len(settings)}"
    folder.mkdir(parents=True)
    write = lambda file, content: (folder / file).write_text(json.dumps(content))  # noqa: E731
    write("config.json", {"step": "step4_vision_language", "name": name, "hash": f"{name}{seed}", "config": config})
    write("status.json", {"status": "finished", "step": 4, "message": "", "last_good_checkpoint": ""})
    counts = {"samples": SAMPLES, "pictures": SAMPLES, "texts": 5 * SAMPLES}
    write("environment.json", {
        "data_name": DATA[task], "data_task": task, "data_counts": {"train": counts, "test": counts},
        "backbone_source": "random weights", "vision_source": "timm/tiny, x.npz", "tokenizer_entries": 300,
        "data_fingerprint": fingerprint, "cpu": "Test CPU", "gpu": "", "torch": "2.15.0",
    })  # fmt: skip
    scores = {}
    if retrieve:
        scores = {f"test_{key}": 0.5 for key in (*RECALLS, *RANKS)}
        scores["test_text_to_image_recall_10"] = float(np.mean(np.array(tested["rank"]) <= 10))
    elif task == "caption":
        scores = {"test_bleu_4": 0.2, "test_rouge_l": 0.45, "test_cider_d": float(np.mean(tested["cider_d"]))}
    else:
        scores = {"test_accuracy": float(np.mean(tested["accuracy"])), "test_exact_match": 0.25}
    write("final.json", {
        **scores, "test_loss": 2.0, "test_perplexity": 7.4, "validation_loss": 2.0 + 0.1 * seed, "best_step": 4,
        "parameters": PARAMETERS[name], "parameters_streams": 40, "flops_per_token": 2e6, **dict(final),
    })  # fmt: skip
    frame = pd.DataFrame(tested)
    frame.to_parquet(folder / ("predictions_test.parquet" if retrieve else "texts.parquet"), index=False)
    metrics = [(s, s / 4, split, "loss", 9.0 - s) for s in (2, 4) for split in ("train", "validation")]
    pd.DataFrame(metrics, columns=["step", "epoch", "split", "metric", "value"]).to_csv(
        folder / "metrics.csv", index=False
    )
    traces = [(4, quantity, stream, site, 0.5) for quantity in ("alpha", "contribution") if streams
              for stream in ("meaning", "vision") for site in (0, 1)]  # fmt: skip
    pd.DataFrame(traces, columns=["step", "quantity", "stream", "site", "value"]).to_csv(
        folder / "alphas.csv", index=False
    )
    return folder


def written(score, values, ids=IDS, needs="", kind=""):
    return {"id": ids, "kind": kind, "needs": needs, "text": "a dog", score: np.float32(values)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("records")
    random = np.random.default_rng(0)
    base = random.gamma(1.0, 0.5, SAMPLES)
    needs = np.array(["image", "text", "both"])[np.arange(SAMPLES) % 3]
    human = {"test_human_bleu_4": 0.3, "test_human_rouge_l": 0.5, "test_human_cider_d": 0.8}
    for seed in range(3):
        order = random.permutation(SAMPLES)  # the order of the rows must not matter
        ids = [IDS[k] for k in order]
        for name, gain in (("dm", 0.3), ("no_image", 0.0), ("projector", 0.2)):
            values = (base + gain + random.normal(0, 0.05, SAMPLES))[order]
            record(root, name, seed, written("cider_d", values, ids), final=human)
        for name, seen in (("no_image", 0.0), ("li", 0.8)):
            right = np.where(needs == "text", 1.0, random.random(SAMPLES) < seen)
            record(root, name, seed, written("accuracy", right, needs=needs), task="question")
        for name, rank in (("no_image", 50), ("dm", 4)):
            ranks = np.where(np.arange(5 * SAMPLES) % 5 == 0, 20, rank)
            record(root, name, seed, {"sample": np.arange(5 * SAMPLES) // 5, "rank": ranks})
    return root


@pytest.fixture(scope="module")
def runs(root):
    return load_runs(root)


@pytest.fixture(scope="module")
def parts(runs):
    return {part.task: part for part in sections(runs)}


@pytest.fixture(scope="module")
def caption_rows(parts):
    return task_frame([parts["captions"]], TASKS["captions"])


def test_tasks_are_not_mixed(parts):
    titles = {name: part.title for name, part in parts.items()}
    assert titles == {
        "captions": "flickr8k, captions, timm/tiny, scratch", "questions": "scenes, questions, timm/tiny, scratch",
        "retrieval": "flickr8k, retrieval, timm/tiny, scratch",
    }  # fmt: skip
    assert parts["captions"].stem == "flickr8k_captions_timm_tiny_scratch"
    assert {name: len(part.runs) for name, part in parts.items()} == {"captions": 9, "questions": 6, "retrieval": 6}


def test_costs_are_those_measured_in_the_same_setting(runs, parts, tmp_path, monkeypatch):
    shape = {"dataset": "flickr8k", "backbone": "scratch", "vision": "timm/tiny", "batch_size": 8, "precision": "fp32"}
    machine = {"cpu": "a processor", "threads": 2, "gpu": ""}
    (tmp_path / "benchmarks").mkdir()
    for number, (objective, layers, flops) in enumerate(
        (("generate", 9, 1e8), ("retrieve", 2, 2e8), ("generate", 2, 3e8))
    ):
        settings = shape | {"objective": objective, "size": {"layers": layers}}
        rows = [{"variant": "dm", "flops_per_text": flops, "step_ms": 5.0}]
        report = {"settings": settings, "machine": machine, "rows": rows}
        path = tmp_path / "benchmarks" / f"step_time-step4_vision_language-{number}.json"
        path.write_text(json.dumps(report))
    fitting = partial(fitting_step_times, records=tmp_path)
    monkeypatch.setattr("results.table4_vision_language.rows.fitting_step_times", fitting)
    frame = task_frame([parts["captions"]], TASKS["captions"]).set_index("variant")
    assert frame.loc["dm", ["flops_per_text", "step_time_ms"]].tolist() == [3e8, 5.0]
    assert frame.loc[["no_image", "projector"], ["flops_per_text", "step_time_ms"]].isna().all(axis=None)
    note = captions([parts["captions"]], TASKS["captions"], frame.reset_index())[parts["captions"].title]
    assert "a processor" in note
    assert fitting([run for run in runs if run.dataset == "scenes"]) is None


def test_models_of_another_size_stand_apart(root, tmp_path):
    for layers in (2, 3):
        record(tmp_path / str(layers), "dm", 0, written("cider_d", np.ones(SAMPLES)), size={"layers": layers})
    titles = [part.title for part in sections(load_runs(tmp_path))]
    assert len(set(titles)) == 2 and all(
        title.startswith("flickr8k, captions, timm/tiny, scratch (") for title in titles
    )
    record(tmp_path / "other", "dm", 0, written("cider_d", np.ones(SAMPLES)), backbone="/models/gpt2")
    assert [part.title for part in sections(load_runs(tmp_path / "other"))] == ["flickr8k, captions, timm/tiny, gpt2"]


def test_captions_are_compared_with_no_picture_and_with_the_projector(parts, caption_rows):
    frame = caption_rows.set_index("variant")
    assert list(frame.index) == ["human", "no_image", "projector", "dm"]
    dm = frame.loc["dm"]
    assert dm["difference"] == pytest.approx(0.3, abs=0.02) and dm["today"] == pytest.approx(0.1, abs=0.02)
    assert dm["difference_low"] < dm["difference"] < dm["difference_high"] and dm["difference_p_holm"] < 0.05
    finals = [run.final["test_cider_d"] for run in parts["captions"].by_name["dm"]]
    assert dm["cider_d_mean"] == pytest.approx(np.mean(finals)) and dm["cider_d_std"] == pytest.approx(
        np.std(finals, ddof=1)
    )
    assert dm["parameters_added"] == 50 and frame.loc["no_image", "parameters_added"] == 0
    assert frame.loc["no_image", ["difference", "today"]].isna().all() and np.isnan(frame.loc["projector", "today"])
    assert frame.loc["human", "cider_d_mean"] == 0.8 and np.isnan(frame.loc["human", "perplexity_mean"])
    tested = frame[["difference_p", "today_p"]].to_numpy().ravel()
    corrected = frame[["difference_p_holm", "today_p_holm"]].to_numpy().ravel()
    assert np.nanmin(corrected) == pytest.approx(3 * np.nanmin(tested))  # three comparisons


def test_the_caption_says_what_was_compared(parts, caption_rows):
    (note,) = captions([parts["captions"]], TASKS["captions"], caption_rows).values()
    for part in (
        "flickr8k (300 pictures with 1,500 captions for training", "seeds apart: 3.", "Seeds per row: 3.",
        "minus that of no_image or of projector", "vocabulary of 300", "Detectable with a power of 80 %", "human: one",
    ):  # fmt: skip
        assert part in note


def test_only_seeds_that_both_have_are_paired(tmp_path):
    base = np.linspace(0, 1, SAMPLES)
    for name, seeds, gain in (("no_image", (0, 1), 0.0), ("dm", (1, 2), 0.25)):
        for seed in seeds:
            record(tmp_path, name, seed, written("cider_d", base + gain + seed))
    (part,) = sections(load_runs(tmp_path))
    dm = task_frame([part], TASKS["captions"]).set_index("variant").loc["dm"]
    assert dm["difference"] == pytest.approx(0.25) and dm["seeds"] == 2 and np.isnan(dm["today"])


def test_questions_by_what_they_need(parts):
    frame = task_frame([parts["questions"]], TASKS["questions"]).set_index("variant")
    li = frame.loc["li"]
    assert li["kind_text_mean"] == 1 and li["kind_image_mean"] == pytest.approx(0.8, abs=0.08)
    assert frame.loc["no_image", "kind_both_mean"] == 0 and "human" not in frame.index
    headers = list(columns_of(TASKS["questions"], frame.reset_index()))
    assert {"image %", "text %", "both %", "Δ accuracy [95 % CI]"} < set(headers)
    assert "Δ to projector [95 % CI]" not in headers
    values = accuracy_by_need(parts["questions"], VARIANTS).set_index(["variant", "needs"])
    one = values.loc[("li", "image")]
    assert one["low"] < one["accuracy"] < one["high"] and one["examples"] == 100 and one["seeds"] == 3
    assert one["accuracy"] == pytest.approx(li["kind_image_mean"])


def test_many_kinds_of_question_leave_the_most_frequent(tmp_path):
    kinds = [("yes/no | is", "yes/no | are", "number | how", "other | what")[k % 4] for k in range(SAMPLES - 1)] + [
        "rare"
    ]
    right = [kind.startswith("yes/no") for kind in kinds]
    record(tmp_path, "no_image", 0, written("accuracy", right, kind=kinds), task="question")
    frame = task_frame(sections(load_runs(tmp_path)), TASKS["questions"])
    shown = [name for name in frame if name.startswith("kind_") and name.endswith("_mean")]
    assert len(shown) == 3 and "kind_yes/no_mean" in shown and frame["kind_yes/no_mean"].item() == 1


def test_texts_of_a_picture_stay_together(parts):
    run = parts["retrieval"].by_name["dm"][0]
    scores = example_scores(run)
    assert len(scores) == SAMPLES and scores.mean() == pytest.approx(0.8)  # four of five texts find their picture
    frame = task_frame([parts["retrieval"]], TASKS["retrieval"]).set_index("variant")
    assert frame.loc["dm", "difference"] == pytest.approx(0.8)
    assert "text to image R@10 %" in columns_of(TASKS["retrieval"], frame)


def test_other_samples_are_not_compared(tmp_path):
    ones = np.ones(SAMPLES)
    record(tmp_path / "ids", "no_image", 0, written("cider_d", ones))
    record(tmp_path / "ids", "dm", 0, written("cider_d", ones, [f"other-{k}" for k in range(SAMPLES)]))
    record(tmp_path / "data", "no_image", 0, written("cider_d", ones))
    record(tmp_path / "data", "dm", 0, written("cider_d", ones), fingerprint="beef")
    for name in ("ids", "data"):
        with pytest.raises(RecordError, match="different samples"):
            make(load_runs(tmp_path / name), tmp_path / "out")


def test_records_that_contradict_themselves_or_lack_texts_are_refused(tmp_path):
    wrong = record(tmp_path, "no_image", 0, written("cider_d", np.ones(SAMPLES)), final={"test_cider_d": 1.1})
    with pytest.raises(RecordError, match="run it again"):
        example_scores(load_runs(tmp_path)[0])
    (wrong / "texts.parquet").unlink()
    with pytest.raises(RecordError, match="texts.parquet: the file is missing; delete the folder"):
        example_scores(load_runs(tmp_path)[0])


def test_conversations_have_no_table(tmp_path, capsys):
    folder = record(tmp_path, "dm", 0, written("cider_d", np.ones(SAMPLES)))
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"data_task": "conversation"}))
    assert make(load_runs(tmp_path), tmp_path / "out") == []
    assert "flickr8k, conversations, timm/tiny, scratch: no table" in capsys.readouterr().err


def test_files_are_written(runs, parts, tmp_path):
    everything = {str(path.relative_to(tmp_path)) for path in make_all(runs, tmp_path)}
    for task in TASKS:
        for kind in ("csv", "md", "tex"):
            assert f"table4_vision_language/{task}/table.{kind}" in everything
    shown = (tmp_path / "table4_vision_language" / "captions" / "table.md").read_text()
    assert "No finished run yet of: swapped" in shown and "| human | — | 30.00 ± — | 50.00 ± — | 80.0 ± — |" in shown
    stems = {name: f"figure_vision_language/{part.stem}" for name, part in parts.items()}
    for task, stem in stems.items():
        for file in ("alpha_by_site.pdf", "validation_loss.png", "validation_loss.csv"):
            assert f"{stem}-{file}" in everything
        assert (f"{stem}-accuracy_by_need.pdf" in everything) == (task == "questions")
    losses = validation_losses(parts["captions"].by_name)
    assert set(losses["loss"]) == {7.0, 5.0} and len(losses) == 3 * 3 * 2


def test_in_retrieval_a_model_without_pictures_is_not_missed(runs, tmp_path):
    seeing = [run for run in runs if run.name != "no_image" or task_of(run) != "retrieval"]
    make(seeing, tmp_path)
    absent = (tmp_path / "retrieval" / "table.md").read_text().splitlines()[0]
    assert "swapped" in absent and "no_image" not in absent
    gaps = state_of(catalogue()["table4_vision_language"], seeing, tmp_path).gaps
    lacking = [gap.variants for gap in gaps if "retrieval" in gap.setting]
    assert lacking and all("no_image" not in names for names in lacking)


def test_runs_of_other_steps_are_passed_over(records, tmp_path):
    assert make_figures(load_runs(records), tmp_path) == [] == make(load_runs(records), tmp_path)


def test_the_readme_shows_the_table_in_short(runs, tmp_path):
    package = SimpleNamespace(__file__=tmp_path / "__init__.py")
    assert vision_language(package) == "No finished run yet."
    make(runs, tmp_path)
    short = vision_language(package)
    assert "flickr8k, captions, timm/tiny, scratch:" in short and "| CIDEr-D |" in short and "ROUGE-L" not in short
    with pytest.raises(ValueError, match="<!-- table4: begin -->"):
        updated("# A README without markers", ["table4"])


def test_texts_are_collected(root, tmp_path):
    folders = collect(root, tmp_path)
    assert sum((folder / "texts.parquet").exists() for folder in folders) == 15
