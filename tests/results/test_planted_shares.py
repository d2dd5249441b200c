"""What was planted in a run's texts, as the figures compare α with it."""

import json

import pytest

from results.figure_alpha_sentiment.agreement import planted_shares
from results.reader import load_run


@pytest.mark.parametrize(
    ("planted", "name", "expected"),
    [
        ([["meaning", 0.2], ["phonetic", 0.3]], "dm", {"meaning": 0.2, "phonetic": 0.3, "morphological": 0.0}),
        ([["meaning=phonetic", 0.6]], "dm", {"meaning": 0.3, "phonetic": 0.3, "morphological": 0.0}),
        ([["meaning+phonetic", 1.0]], "dm", {"meaning": 0.5, "phonetic": 0.5, "morphological": 0.0}),
        ([["meaning+phonetic", 1.0]], "dm[phonetic+morphological]", {"phonetic": 0.0, "morphological": 0.0}),
        ([["meaning=phonetic", 1.0]], "dm[phonetic+morphological]", {"phonetic": 1.0, "morphological": 0.0}),
    ],
)  # fmt: skip
def test_what_several_streams_carry_is_split_between_those_that_there_are(tmp_path, record, planted, name, expected):
    folder = record(tmp_path, name, 0, dataset="planted", classes=2)
    content = json.loads((folder / "config.json").read_text())
    content["config"]["data"]["planted_shares"] = planted
    (folder / "config.json").write_text(json.dumps(content))
    assert planted_shares(load_run(folder)) == expected


def test_other_texts_have_none(tmp_path, record):
    assert set(planted_shares(load_run(record(tmp_path, "dm", 0))).values()) == {0.0}
