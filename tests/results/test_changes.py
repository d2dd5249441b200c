"""Comparing two folders of records: nothing differs from itself, and a planted difference is found."""

import json
import shutil

import numpy as np
import pytest

from results.__main__ import main
from results.diff.changes import group_frame, run_rows
from results.diff.compared import compared as scored
from results.diff.pairing import pairs
from results.reader import RecordError, load_runs
from tests.results.test_language import TOKENS
from tests.results.test_language import record as language_record
from tests.results.test_vision_language import SAMPLES, written
from tests.results.test_vision_language import record as vision_record


@pytest.fixture(scope="module")
def sides(tmp_path_factory, record):
    """Sentiment, language and vision; in the second folder of each one variant is better and one the same."""
    root, random = tmp_path_factory.mktemp("sides"), np.random.default_rng(0)
    losses, scores = random.gamma(2.0, 1.5, TOKENS), random.gamma(1.0, 0.5, SAMPLES)
    for side, gain in (("a", 0.0), ("b", 1.0)):
        for seed in range(3):
            record(root / side, "meaning", seed, 0.4, examples=400)
            if side == "a":
                record(root / side, "dm", seed, 0.4, examples=400)
            noise = np.random.default_rng(seed).normal(0, 0.02, TOKENS)
            language_record(root / side, "meaning", seed, losses + noise, streams=())
            language_record(root / side, "dm", seed, losses + noise - 0.3 * gain)
            values = scores + noise[:SAMPLES]
            vision_record(root / side, "no_image", seed, written("cider_d", values))
            vision_record(root / side, "dm", seed, written("cider_d", values - 0.2 * gain))
    for folder in (root / "a" / "step1_sentiment").glob("dm-*"):
        shutil.copytree(folder, root / "b" / "step1_sentiment" / folder.name)
    record(root / "b", "li", 0)
    return root


def both(first, second):
    return [scored(pair) for pair in pairs(load_runs(first), load_runs(second))[0]]


def compared(first, second):
    return group_frame(both(first, second)).set_index(["setting", "variant"])


def test_a_folder_does_not_differ_from_itself(sides, capsys):
    runs = load_runs(sides / "a")
    found, only_first, only_second = pairs(runs, runs)
    assert not only_first and not only_second and run_rows(found).empty
    frame = group_frame([scored(pair) for pair in found])
    assert (frame["difference"] == 0).all() and (frame["p_corrected"] == 1).all() and not frame["significant"].any()
    assert main(["diff", str(sides / "a"), str(sides / "a")]) == 0
    said = capsys.readouterr().out
    assert "18 runs in both, 18 of them with exactly the same main metric" in said
    assert "no difference is significant" in said and "only in" not in said


def test_a_planted_difference_is_found_and_alone_significant(sides, capsys):
    frame = compared(sides / "a", sides / "b")
    significant = frame.loc[frame["significant"]]
    assert {setting.split(",")[0] for setting, variant in significant.index} == {"step2_mlm", "step4_vision_language"}
    assert {variant for _, variant in significant.index} == {"dm"} and not frame["why"].any()
    language, vision = (
        significant.loc[[key for key in significant.index if key[0].startswith(step)]].iloc[0]
        for step in ("step2", "step4")
    )
    assert language["difference"] == pytest.approx(-0.3, abs=1e-3) and language["better"]
    assert vision["difference"] == pytest.approx(-20, abs=0.1) and not vision["better"]
    assert (frame["p_corrected"] >= frame["p"]).all()
    assert main(["diff", str(sides / "a"), str(sides / "b")]) == 0
    said = capsys.readouterr().out
    assert "step1_sentiment, sst5, minilm\tli\t0" in said  # only there
    assert said.count("significant: ") == 2 and "B is worse" in said and "B is better" in said
    assert "18 runs in both, 12 of them" in said


def test_a_better_model_of_sentences_is_found(tmp_path, record):
    for side, accuracy in (("a", 0.3), ("b", 0.7)):
        for seed in range(2):
            record(tmp_path / side, "dm", seed, accuracy, examples=400, lr=accuracy)  # other configs, so other folders
    (row,) = compared(tmp_path / "a", tmp_path / "b").to_dict("records")
    assert row["significant"] and row["better"] and row["difference"] > 25 and row["examples"] == 400


def test_runs_pair_by_config_first_and_other_places_of_the_data_do_not_part_them(tmp_path, record):
    for seed in range(2):
        record(tmp_path / "a", "dm", seed, lr=1.0)
        record(tmp_path / "b", "dm", seed, lr=2.0)
    record(tmp_path / "a", "dm", 0, lr=2.0)
    found, only_first, only_second = pairs(load_runs(tmp_path / "a"), load_runs(tmp_path / "b"))
    ((pair,), (alone,)) = found, only_second
    assert pair.first[0].settings == pair.second[0].settings and alone.seed == 1
    assert [run.settings["train"]["lr_backbone"] for run in only_first] == [1.0, 1.0]
    for side, path in (("a", "/home/one/sst"), ("b", "data/sst")):
        for config in (tmp_path / side).rglob("config.json"):
            content = json.loads(config.read_text())
            content["config"]["data"]["path"] = path
            config.write_text(json.dumps(content))
    found, _, _ = pairs(load_runs(tmp_path / "a"), load_runs(tmp_path / "b"))
    assert [(len(one.first), one.variant) for one in found] == [(1, "dm")]


def test_other_examples_are_said_and_not_compared(tmp_path, record, capsys):
    record(tmp_path / "a", "dm", 0, examples=100)
    record(tmp_path / "b", "dm", 0, examples=120)
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "not compared by example: " in (said := capsys.readouterr().out) and "different examples" in said


def test_twins_and_empty_folders_are_one_clear_error(tmp_path, record, capsys):
    folder = record(tmp_path / "a", "dm", 0)
    shutil.copytree(folder, folder.with_name("dm-again"))
    with pytest.raises(RecordError, match="two records of one config and seed"):
        pairs(load_runs(tmp_path / "a"), load_runs(tmp_path / "a"))
    (tmp_path / "b").mkdir()
    for other in ("b", "c"):
        assert main(["diff", str(tmp_path / "a"), str(tmp_path / other)]) == 2
        assert str(tmp_path / other) in capsys.readouterr().err


def test_a_difference_can_be_significant_among_many_comparisons(tmp_path):
    losses = np.random.default_rng(0).gamma(2.0, 1.5, TOKENS)
    for k in range(60):
        for side, gain in (("a", 0.0), ("b", 1.0 if k == 0 else 0.0)):
            language_record(tmp_path / side, f"rule{k}", 0, losses - 0.5 * gain)
    frame = compared(tmp_path / "a", tmp_path / "b")
    assert list(frame.index[frame["significant"]]) == [("step2_mlm, novels, minilm", "rule0")]
