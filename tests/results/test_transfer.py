"""Table 7 from synthetic records: directions, rows paired by seed and example, and nothing where nothing was frozen."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from results.__main__ import main
from results.diff.pairing import pairs
from results.reader import RecordError, load_runs
from results.table7_transfer.directions import directions
from results.table7_transfer.make import columns, make
from results.table7_transfer.rows import frame_of, note_of
from tests.results.test_language import TOKENS
from tests.results.test_language import record as text_record
from tests.results.test_vision_language import SAMPLES, written
from tests.results.test_vision_language import record as vision_record

GAINS = {"reference": 0.0, "learnt": 0.3, "transfer": 0.28, "random": 0.1, "equal": 0.15}
ENDINGS = {"learnt": "", "transfer": "_transfer", "random": "_frozen_random", "equal": "_frozen_equal"}


def freeze(folder, row, seed, origin, streams=()):
    """Write what a row says of its mixing weights into the config of a record."""
    path = folder / "config.json"
    head = json.loads(path.read_text())
    head["name"] = head["config"]["name"] = folder.name.rpartition("-")[0]
    alone = row == "reference"
    head["config"]["integration"] = {
        "rule": "reference" if alone else "dm", "train_alpha": row in ("reference", "learnt")
    }  # fmt: skip
    head["config"]["streams"] = [] if alone else [{"kind": kind} for kind in streams]
    if row not in ("reference", "learnt"):
        head["config"]["transfer"] = {"arm": row, "source": f"{origin}-{seed}", "weights": {"alpha": [[seed, 0.5]]}}
    path.write_text(json.dumps(head))


def caption_record(root, row, seed, values, name=""):
    name = name or ("no_image" if row == "reference" else f"dm{ENDINGS[row]}")
    made = vision_record(root, "no_image" if row == "reference" else "dm", seed, written("cider_d", values))
    folder = made.rename(made.with_name(f"{name}-{seed}"))
    freeze(folder, row, seed, "step3_gpt/dm_b", ("vision",))


def language_record(root, row, seed, nll):
    name = "meaning" if row == "reference" else f"dm{ENDINGS[row]}_b"
    folder = text_record(root, name, seed, nll, step="step3_gpt", test_word_perplexity=40.0 + seed)
    freeze(folder, row, seed, "step4_vision_language/dm", ("phonetic",))


def dataless_record(root):
    """A run whose config names no data, as those on planted vectors: it stands beside the others."""
    folder = root / "alpha_validity" / "dm-0"
    folder.mkdir(parents=True)
    head = {"step": "alpha_validity", "name": "dm", "hash": "0", "config": {"name": "dm", "train": {"seed": 0}}}
    for name, content in {"config": head, "status": {"status": "finished"}, "final": {}}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root, random = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    pictures, tokens = random.gamma(1.0, 0.5, SAMPLES), random.gamma(2.0, 1.5, TOKENS)
    for seed in range(2):
        for row, gain in GAINS.items():
            caption_record(root, row, seed, pictures + gain + random.normal(0, 0.02, SAMPLES))
            language_record(root, row, seed, tokens - gain + random.normal(0, 0.02, TOKENS))
    dataless_record(root)
    return root


@pytest.fixture(scope="module")
def runs(root):
    return load_runs(root)


def test_directions_there_and_back(runs):
    found = {one.title: one for one in directions(runs)}
    assert list(found) == [
        "text to vision-language: flickr8k, captions, timm/tiny, scratch",
        "vision-language to text: novels, minilm",
    ]
    for one in found.values():
        assert list(one.runs) == list(GAINS) and {len(own) for own in one.runs.values()} == {2}
    there, back = found.values()
    assert there.sources == ("step3_gpt/dm_b-0", "step3_gpt/dm_b-1") and there.learnt_on == "novels"
    assert back.sources == ("step4_vision_language/dm-0", "step4_vision_language/dm-1")


def test_rows_are_compared_with_learnt_and_with_random_weights(runs):
    for one, scale in zip(directions(runs), (100.0, 1.0), strict=True):
        frame = frame_of(one).set_index("variant")
        for row in ("reference", "transfer", "random", "equal"):
            assert frame.loc[row, "difference"] == pytest.approx(GAINS[row] - 0.3, abs=0.01)
            assert frame.loc[row, "difference_low"] < frame.loc[row, "difference"] < frame.loc[row, "difference_high"]
        assert frame.loc["transfer", "to_random"] == pytest.approx(0.18, abs=0.01)
        assert frame.loc["learnt", ["difference", "to_random"]].isna().all()
        assert np.isnan(frame.loc["random", "to_random"]) and np.isnan(frame.loc["reference", "to_random"])
        assert (frame.loc["transfer", "scale"], frame.loc["learnt", "weights"]) == (scale, "")
        tested = frame[["difference_p", "to_random_p"]].to_numpy().ravel()
        corrected = frame[["difference_p_holm", "to_random_p_holm"]].to_numpy().ravel()
        assert np.isfinite(tested).sum() == 6 and np.nanmin(corrected) == pytest.approx(6 * np.nanmin(tested))
        note = note_of(one, frame.reset_index())
        assert "Detectable with a power" in note and "No finished run" not in note
        expected = np.mean([run.final[one.metric] for run in one.runs["transfer"]])
        assert frame.loc["transfer", "score_mean"] == pytest.approx(expected)
    assert frame.loc["random", "weights"] == "dm-0 dm-1" and note.startswith("Frozen weights: those that dm-0, dm-1")


def test_only_twins_are_compared(tmp_path):
    """A learnt run of other training is no twin, and the seeds are paired."""
    for folder in ("there", "other"):
        caption_record(tmp_path / folder, "transfer", 1, np.linspace(0, 1, SAMPLES))
        caption_record(tmp_path / folder, "learnt", 0, np.linspace(0, 1, SAMPLES))
        caption_record(tmp_path / folder, "learnt", 1, np.linspace(0, 1, SAMPLES) + 0.5)
    path = tmp_path / "other" / "step4_vision_language" / "dm-1" / "config.json"
    head = json.loads(path.read_text())
    head["config"]["train"]["epochs"] = 9
    path.write_text(json.dumps(head))
    there, other = (directions(load_runs(tmp_path / folder))[0] for folder in ("there", "other"))
    assert frame_of(there).set_index("variant").loc["transfer", "difference"] == pytest.approx(-0.5, abs=1e-6)
    frame = frame_of(other)
    assert np.isnan(frame.set_index("variant").loc["transfer", "difference"])
    assert "No finished run yet of: reference, random, equal." in note_of(other, frame)


def test_a_seed_that_stands_twice_is_refused(tmp_path):
    for name in ("dm_transfer", "dm_transfer_again"):
        caption_record(tmp_path, "transfer", 0, np.linspace(0, 1, SAMPLES), name=name)
    with pytest.raises(RecordError, match="have one seed"):
        directions(load_runs(tmp_path))


def test_files_say_what_is_shown(runs, tmp_path):
    paths = make(runs, tmp_path)
    assert {path.name for path in paths} == {"table.csv", "table.md", "table.tex"}
    shown = (tmp_path / "table.md").read_text()
    assert all(header in shown for header in columns()) and "−nats per token" in shown
    assert len(pd.read_csv(tmp_path / "table.csv")) == 10
    assert not any(character in (tmp_path / "table.tex").read_text() for character in "→αγ√")
    again = tmp_path / "again"
    make(runs[::-1], again)
    assert all((again / path.name).read_bytes() == path.read_bytes() for path in paths)


def test_without_frozen_runs_nothing_is_made(runs, records, tmp_path):
    plain = [run for run in runs if "transfer" not in run.settings]
    assert make([], tmp_path) == make(plain, tmp_path) == make(load_runs(records), tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_it_starts_no_runs(capsys):
    assert main(["run", "table7_transfer", "--preset", "quick", "--dry-run"]) == 2
    assert "start those of a table of one step" in capsys.readouterr().err


def test_two_folders_with_frozen_weights_are_compared_over_their_seeds(root, tmp_path, capsys):
    """Each seed has the weights of a run of its own, which makes it no other variant."""
    own = shutil.copytree(root, tmp_path / "records", ignore=shutil.ignore_patterns("alpha_validity"))
    assert main(["diff", str(own), str(own), "--detail"]) == 0
    assert "in one folder only" not in capsys.readouterr().out
    found, *alone = pairs(load_runs(own), load_runs(own))
    assert alone == [[], []] and all(len(pair.first) == 2 for pair in found)
    assert sum("transfer" in pair.variant for pair in found) == 2  # one way, and back
