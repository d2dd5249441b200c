"""Conversations about pictures, and what is wrong with malformed ones."""

import pytest

from common.data import DataError
from tests.common.data.vision.made import NAMES, conversation, keys, load, write_instructions

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_instructions_with_one_many_and_no_pictures(tmp_path, ending):
    many = conversation(NAMES[:2], "Compare <image> with <image>.")
    none = {"conversations": conversation([], "Hello")["conversations"]}
    entries = [many, none, *(conversation(name) for name in NAMES)]
    write_instructions(tmp_path / f"all{ending}", entries)
    corpus = load("instructions", tmp_path / f"all{ending}", validation_fraction=0.2)
    samples = [s for split in corpus.splits.values() for s in split]
    assert len(samples) == 8 and all(corpus.splits.values()) and corpus.task == "conversation"
    first = next(s for s in samples if len(s.images) == 2)
    assert first.turns == (("human", "Compare <image> with <image>."), ("assistant", "A dog."))
    sides = [keys(split) for split in corpus.splits.values()]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 6
    assert any(not s.images for s in samples)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (conversation(NAMES[:2]), "entry 2: 1 marks <image> but 2 pictures"),
        (conversation(NAMES[0], "What?"), "entry 2: 0 marks <image> but 1 pictures"),
        (conversation(NAMES[0], answer="<image>"), "entry 2, turn 2: <image> stands in an answer"),
        (conversation(3), "entry 2: `image` must be a path"),
        ({"image": NAMES[0]}, "entry 2: no list `conversations`"),
        ({"conversations": [{"from": "gpt", "value": "Hi"}]}, "entry 2, turn 1: turns must alternate"),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, "entry 2: the last human turn has no answer"),
        ({"conversations": [{"from": "dog", "value": "Hi"}]}, "entry 2, turn 1: missing or unknown 'dog'"),
        ("text", "entry 2: not an object"),
    ],
)
def test_malformed_conversations_name_the_entry(tmp_path, entry, message):
    write_instructions(tmp_path / "all.jsonl", [conversation(NAMES[0]), entry])
    with pytest.raises(DataError, match=message):
        load("instructions", tmp_path / "all.jsonl")
    (tmp_path / "all.jsonl").write_text('{"image": 1}\n{,}')
    with pytest.raises(DataError, match="all.jsonl, line 2: not JSON"):
        load("instructions", tmp_path / "all.jsonl")
