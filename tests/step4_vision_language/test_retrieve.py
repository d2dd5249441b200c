"""Pictures found by texts and texts by pictures, one by one and in a batch, with a finished run."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
import torch

from common.data.vision import Sample, VisionDataConfig
from common.data.vision.source import ImageSource
from common.training.task import to_device
from step4_vision_language.config import variant
from step4_vision_language.data import Collate, Item, Pictures
from step4_vision_language.inputs import pictures_in
from step4_vision_language.loading import load_dual, load_run
from step4_vision_language.retrieve import RetrieveOptions, embed
from step4_vision_language.run import run
from tests.step4_vision_language.conftest import call, rows_of, runtime, tiny


@pytest.fixture(scope="module")
def finished(cache, tmp_path_factory):
    """A run that has learnt to retrieve."""
    base = tiny(data=VisionDataConfig(scene_sizes=(64, 32, 32)), objective="retrieve", siglip=True)
    base = replace(base, train=replace(base.train, epochs=1, batch_size=32))
    return run(variant(base, "dm"), runtime(cache, tmp_path_factory.mktemp("runs")))


def test_retrieval_ranks_by_the_encoder(finished, folder, tmp_path, capsys):
    place = ("--run", finished, "--device", "cpu")
    texts = ["a red circle", "there is a small purple star", "two blue squares and a green star"]
    outputs = []
    for size in (1, 64):
        find = ("--folder", folder, "--text", texts[1], "--top", 4, "--batch-size", size)
        assert call("retrieve", *place, *find) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] and len(outputs[0].splitlines()) == 4
    model, processor = load_run(finished)
    dual = load_dual(finished, model, processor)
    # As in training: pictures and texts of a batch at once.
    sources = [ImageSource(str(path)) for path in pictures_in(folder)]
    samples = [Sample(source.name, (source,), captions=(texts[k % 3],)) for k, source in enumerate(sources)]
    items = [Item(k, next(iter(processor.targets(sample)))) for k, sample in enumerate(samples)]
    batch = to_device(Collate(samples, Pictures(model.vision, None), processor.end_id)(items), model.device)
    with torch.no_grad():
        picture, text = dual(model, batch)
    torch.testing.assert_close(embed(model, dual, processor, samples, 4), picture, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(embed(model, dual, processor, texts, 2), text[:3], atol=1e-5, rtol=1e-5)
    similarity = picture @ text[1]
    shown = [line.strip().split("  ") for line in outputs[0].splitlines()]
    assert [name for _, name in shown] == [sources[k].name for k in similarity.argsort(descending=True)[:4].tolist()]
    assert [float(v) for v, _ in shown] == pytest.approx(sorted(similarity.tolist(), reverse=True)[:4], abs=1e-4)
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n\n")
    assert call("retrieve", *place, "--image", sources[0].name, "--texts", tmp_path / "texts.txt") == 0
    best = texts[int((picture[0] @ text[:3].T).argmax())]
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3 and shown[0].endswith(best)


def test_a_batch_is_searched_as_one_by_one(finished, folder, tmp_path, capsys):
    place = ("--run", finished, "--device", "cpu", "--top", 3)
    texts = ["a red circle", "there is a small purple star"]
    paths = [str(path) for path in pictures_in(folder)]
    batch, lines, out = tmp_path / "batch.jsonl", tmp_path / "texts.txt", tmp_path / "found.jsonl"
    lines.write_text("\n".join(texts))

    def found(*options) -> list[dict]:
        assert call("retrieve", *place, *options, "--out", out) == 0
        return rows_of(out)

    def keep(rows) -> None:
        batch.write_text("\n".join(map(json.dumps, rows)))

    keep({"text": text} for text in texts)
    together = found("--folder", folder, "--batch", batch)
    shown = capsys.readouterr().out.splitlines()
    assert [row["text"] for row in together] == texts == [shown[0], shown[4]]  # headings, three lines each below
    assert [row for text in texts for row in found("--folder", folder, "--text", text)] == together
    assert all(one["image"] in line for one, line in zip(together[1]["found"], shown[5:8], strict=True))
    keep({"image": path, "question": "left alone"} for path in paths)
    by_picture = found("--batch", batch, "--texts", lines)
    assert [row["image"] for row in by_picture] == paths and all(len(row["found"]) == 2 for row in by_picture)
    assert [row for path in paths for row in found("--image", path, "--texts", lines)] == by_picture
    similarity = {(row["image"], one["text"]): one["similarity"] for row in by_picture for one in row["found"]}
    for row in together:
        assert [similarity[one["image"], row["text"]] for one in row["found"]] == pytest.approx(
            [one["similarity"] for one in row["found"]], abs=2e-5
        )
        assert row["found"] == sorted(row["found"], key=lambda one: -one["similarity"])
    assert found("--batch", batch, "--text", texts[1]) == together[1:]
    keep([{"image": paths[:2]}, {"image": paths[0]}])
    two = found("--batch", batch, "--texts", lines)
    assert two[0]["image"] == ", ".join(paths[:2]) and two[0]["found"] != two[1]["found"] == by_picture[0]["found"]


@pytest.mark.parametrize(
    ("options", "line", "message"),
    [
        (("--folder", "."), '{"image": "x.png"}', "line 1: says no text"),
        (("--folder", "."), '{"text": "a"}\n{"text": " "}', r"line 2: says no text \('empty'\)"),
        (("--text", "a"), '{"text": "a"}', "line 1: says no pictures"),
        (("--text", "a"), '{"image": []}', "line 1: says no pictures"),
    ],
)
def test_a_batch_that_says_nothing_is_refused(finished, folder, tmp_path, capsys, options, line, message):
    batch = tmp_path / "batch.jsonl"
    batch.write_text(line)
    options = [folder if option == "." else option for option in options]
    assert call("retrieve", "--run", finished, *options, "--batch", batch) == 2
    told = capsys.readouterr().err
    assert re.search(message, told) and "write {" in told and "Traceback" not in told


@pytest.mark.parametrize(
    "options",
    [{}, {"text": "a"}, {"image": True}, {"text": "a", "texts": True}, {"batch": True}, {"batch": True, "image": True},
     {"batch": True, "folder": True, "text": "a"}, {"folder": True, "texts": True}],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(tmp_path, options):
    given = {name: tmp_path / "x" if value is True else value for name, value in options.items()}
    with pytest.raises(ValueError, match="in the place of one of"):
        RetrieveOptions(tmp_path, **given)
    with pytest.raises(ValueError, match="a folder or a page"):
        RetrieveOptions(tmp_path, folder=tmp_path, text="a", out=tmp_path / "found.html")
