"""Answers to VQA's questions are scored as a whole and by the types of the official evaluation."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from common.data.vision import Sample, VisionDataConfig
from step4_vision_language.decode import official_types, score_texts
from step4_vision_language.run import run
from tests.common.data.vision.made import write_vqa
from tests.step4_vision_language.conftest import runtime, tiny

SAID = {  # (kind, how many of ten people say "2") -> accuracy of "2"
    ("number | how many", 10): 1.0, ("number | how many", 1): 0.3, ("number | what", 0): 0.0, ("other | what", 2): 0.6,
}  # fmt: skip


def samples() -> list[Sample]:
    def given(count):
        return ("2",) * count + tuple(f"x{n}" for n in range(10 - count))

    return [Sample(str(k), (), answers=given(count), kind=kind) for k, (kind, count) in enumerate(SAID)]


def test_accuracy_by_answer_type_and_by_question_type():
    flat, each = score_texts(samples(), ["2"] * len(SAID))
    np.testing.assert_allclose(each["accuracy"], list(SAID.values()))
    expected = {
        "answer_type_number": 1.3 / 3, "answer_type_other": 0.6, "question_type_how_many": 1.3 / 2,
        "question_type_what": 0.3,
    }  # fmt: skip
    found = {name.removeprefix("accuracy_"): value for name, value in flat.items() if "_type_" in name}
    assert found == pytest.approx(expected)
    assert flat["accuracy_number_|_how_many"] == pytest.approx(1.3 / 2)  # the two together, as before


def test_other_data_have_no_official_types():
    mixed = [*samples(), Sample("x", (), answers=("red",), kind="colour")]
    assert official_types(mixed) == {}
    assert not any("_type_" in name for name in score_texts(mixed, ["2"] * len(mixed))[0])


def test_a_run_keeps_them_also_with_changed_pictures(cache, tmp_path):
    write_vqa(tmp_path / "vqa")
    data = VisionDataConfig(name="vqa_v2", path=str(tmp_path / "vqa"))
    folder = run(tiny(data=data), runtime(cache, tmp_path))
    final = json.loads((folder / "final.json").read_text())
    texts = pd.read_parquet(folder / "texts.parquet")
    assert set(texts["answer_type"]) == {"number", "other"} and set(texts["question_type"]) == {"how many"}
    for change in ("", "_swapped", "_blank", "_left_out"):
        accuracy = texts[f"accuracy{change}"].astype(float)
        assert final[f"test_accuracy{change}"] == pytest.approx(accuracy.mean())
        for kind, mean in accuracy.groupby(texts["answer_type"]).mean().items():
            assert final[f"test_accuracy{change}_answer_type_{kind}"] == pytest.approx(mean)
        assert final[f"test_accuracy{change}_question_type_how_many"] == pytest.approx(accuracy.mean())
