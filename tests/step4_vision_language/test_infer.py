"""Captions and answers with finished runs, from the command line to the page."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from common.data.vision import Sample, VisionDataConfig
from common.data.vision.source import ImageSource
from common.integration.mixing_weights import MixingWeights
from step4_vision_language.config import variant
from step4_vision_language.contributions import explain, pieces, write
from step4_vision_language.data import Pictures, load_texts
from step4_vision_language.inputs import as_turn, pictures_in
from step4_vision_language.loading import load_run
from step4_vision_language.page import json_lines, page
from step4_vision_language.run import run
from step4_vision_language.texts import END, IMAGE, START
from tests.step4_vision_language.conftest import call, rows_of, runtime, tiny
from tests.step4_vision_language.models import language_model

NAMES = ("dm", "projector", "token")


@pytest.fixture(scope="module")
def runs(cache, tmp_path_factory):
    """Finished runs by name; `token` is a Qwen2 with α per token. What starts at zero gets a value, so that the picture
    has a say after so few steps.
    """
    place = tmp_path_factory.mktemp("runs")
    base = tiny(data=VisionDataConfig(scene_sizes=(64, 32, 32)))
    base = replace(base, train=replace(base.train, epochs=1, batch_size=32))
    qwen = language_model("qwen2")
    qwen.resize_token_embeddings(300)
    _, tokenizer = load_texts(replace(base, vocab_size=290))
    tokenizer.bos_token = None  # as Qwen2's
    for part in (qwen, tokenizer):
        part.save_pretrained(place / "qwen2")
    configs = {
        "dm": variant(base, "dm"), "projector": variant(base, "projector"),
        "token": replace(variant(base, "dm_token"), backbone=str(place / "qwen2")),
        "retrieve": replace(variant(base, "dm"), name="retrieve", objective="retrieve"),
    }  # fmt: skip
    found = {name: run(config, runtime(cache, place)) for name, config in configs.items()}
    for name in NAMES:
        model, _ = load_run(found[name])
        mixing = {id(p) for m in model.modules() if isinstance(m, MixingWeights) for p in m.parameters()}
        generator = torch.Generator().manual_seed(1)
        for key, parameter in model.named_parameters():
            spread = 0.5 if id(parameter) in mixing else 0.0 if key.startswith("vision.") else 0.1
            parameter.data += spread * torch.randn(parameter.shape, generator=generator)
        model.save_pretrained(found[name] / "model")
    return found


def asked(folder) -> list[Sample]:
    """Questions of different lengths, and one about two pictures."""
    images = [ImageSource(str(path)) for path in pictures_in(folder)]
    questions = ["", "how many?", "is there a small red circle left of a blue star?", "what?", "", "which <&> one?"]
    samples = [Sample(str(k), (image,), question=q) for k, (image, q) in enumerate(zip(images, questions, strict=True))]
    return [*samples, Sample("two", (images[0], images[1]), question="same?")]


@pytest.mark.parametrize("options", [("--beams", 2), ("--temperature", 0.9, "--top-p", 0.8)], ids=["beam", "p"])
def test_captions_of_a_file_a_folder_and_a_batch(runs, folder, tmp_path, capsys, options):
    first = folder / "0 <b>.png"
    common = ("--run", runs["dm"], "--max-new-tokens", 5, "--device", "cpu")
    assert call("caption", *common, "--image", first, "--out", tmp_path / "one.jsonl") == 0
    shown = capsys.readouterr().out
    one = rows_of(tmp_path / "one.jsonl")[0]
    assert one["image"] == str(first) and one["text"] in shown and all(s in shown for s in ("meaning", "vision"))
    assert call("caption", *common, "--folder", folder, "--out", tmp_path / "all.jsonl") == 0
    every = rows_of(tmp_path / "all.jsonl")
    assert [row["image"] for row in every] == sorted(str(path) for path in folder.glob("*.png"))
    assert every[0]["text"] == one["text"] and len({row["text"] for row in every}) > 1
    lines = [{"image": [first.name, "1 <b>.png"], "question": "what is new?"}, {"image": str(first)}]
    shutil.copy(first, tmp_path)
    shutil.copy(folder / "1 <b>.png", tmp_path)
    (tmp_path / "batch.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    assert call("caption", *common, "--batch", tmp_path / "batch.jsonl", "--out", tmp_path / "some.jsonl") == 0
    some = rows_of(tmp_path / "some.jsonl")
    assert len(some[0]["image"]) == 2 and some[0]["question"] == "what is new?" and some[1]["text"] == one["text"]
    again = []
    for name in ("a", "b"):
        assert call("caption", *common, *options, "--image", first, "--out", tmp_path / name) == 0
        again.append(rows_of(tmp_path / name))
    assert again[0] == again[1]


@pytest.mark.parametrize("name", NAMES)
def test_in_a_batch_as_one_by_one(runs, folder, name):
    model, processor = load_run(runs[name])
    samples = asked(folder)
    together = write(model, processor, samples, batch_size=4, max_new_tokens=8, do_sample=False)
    for sample, written in zip(samples, together, strict=True):
        alone = write(model, processor, [sample], batch_size=1, max_new_tokens=8, do_sample=False)[0]
        assert (alone.text, alone.tokens, written.sample) == (written.text, written.tokens, sample)
        assert "".join(alone.tokens).strip() == alone.text
        for kind in ("contributions", "alphas"):
            one, other = getattr(alone.shares, kind), getattr(written.shares, kind)
            assert one.keys() == other.keys()
            for stream, value in one.items():
                np.testing.assert_allclose(value, other[stream], atol=1e-5)
    assert len({written.text for written in together}) > 1


@pytest.mark.parametrize("name", NAMES)
def test_contributions_are_those_of_the_predicting_place(runs, folder, name):
    model, processor = load_run(runs[name])
    samples = asked(folder)[:3]
    written = [[5, 6, 7], [8], []]
    seen = Pictures(model.vision, store=None)(samples)
    shares = explain(model, processor, samples, written, seen)
    if name == "projector":
        assert all(not one.contributions and not one.alphas for one in shares)
        return
    for sample, new, one in zip(samples, written, shares, strict=True):
        assert {"meaning", "vision", "state"} == set(one.contributions) and {"meaning", "vision"} <= set(one.alphas)
        total = np.sum(list(one.contributions.values()), axis=0)
        assert total.shape == (len(new),)
        np.testing.assert_allclose(total, 1.0, atol=1e-5)
        prompt = processor.prompt(sample)
        alone = model(torch.tensor([[*prompt, *new]]), report=True, **Pictures(model.vision, None)([sample]))
        for t in range(len(new)):
            place = len(prompt) + t - 1
            expected = alone.contributions["vision"].mean(0)[0, place]
            assert float(one.contributions["vision"][t]) == pytest.approx(float(expected), abs=1e-5)
            alpha = alone.alphas["vision"].mean(0)
            alpha = alpha[0, place] if name == "token" else alpha
            assert float(one.alphas["vision"][t]) == pytest.approx(float(alpha), abs=1e-5)
    assert name == "dm" or len(set(shares[0].alphas["vision"].tolist())) == 3


def test_page_stands_alone(runs, folder, tmp_path, capsys):
    out = tmp_path / "pages" / "answers.html"
    common = ("--folder", folder, "--max-new-tokens", 6, "--device", "cpu")
    assert call("answer", "--run", runs["dm"], *common, "--question", "<i>which & one?", "--out", out) == 0
    content = out.read_text()
    assert content.count("src='data:image/jpeg;base64,") == 6 == content.count("<figure>")
    assert "http" not in content and "<script" not in content and "//" not in re.sub(r"base64,[^']*", "", content)
    assert "<i>" not in content and "<b>" not in content and "&lt;i&gt;which &amp; one?" in content
    model, processor = load_run(runs["dm"])
    samples = [Sample(str(p), (ImageSource(str(p)),), question="<i>which & one?") for p in pictures_in(folder)]
    written = write(model, processor, samples, batch_size=16, max_new_tokens=6, num_beams=1, do_sample=False)
    spans = re.findall(r'<span title="([^"]*)" style="[^"]*background:#[0-9a-f]{6}">[^<]*</span>', content)
    assert len(spans) == sum(len(one.tokens) for one in written) > 0
    assert all(re.fullmatch(r"meaning \S+ \(α \S+\), vision \S+ \(α \S+\), state \S+", title) for title in spans)
    capsys.readouterr()
    assert call("caption", "--run", runs["projector"], *common, "--out", out) == 0
    assert capsys.readouterr().out.count("no contributions") == 1
    assert "no contributions" in out.read_text() and "<span" not in out.read_text()


def test_texts_are_escaped_and_pictures_made_small(runs, folder):
    model, processor = load_run(runs["dm"])
    one = write(model, processor, asked(folder)[:1], batch_size=1, max_new_tokens=3, do_sample=False)[0]
    one = replace(one, text="<script>", tokens=["<script>", "&", "'\""])
    shares = {stream: np.full(3, 1 / 3) for stream in one.shares.contributions}
    one = replace(one, shares=replace(one.shares, contributions=shares, alphas={}))
    content = page([one], ["vision"])
    assert "<script>" not in content and "&lt;script&gt;</span>" in content
    assert json.loads(json_lines([one]))["text"] == "<script>"
    encoded = re.search(r"base64,([^']*)", content)
    assert encoded is not None and len(encoded[1]) < 50_000


def test_pieces_keep_characters_whole(runs):
    _, processor = load_run(runs["dm"])
    text = " a café – naïve"
    ids = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    found = pieces(processor, ids)
    assert "".join(found) == text and len(found) == len(ids) and "\ufffd" not in "".join(found)


def test_a_text_and_a_turn_end(runs, folder):
    model, processor = load_run(runs["dm"])
    turn = as_turn(asked(folder)[3])
    told = f"{START}user\n{IMAGE}\nwhat?{END}\n{START}assistant\n"
    assert processor.tokenizer.decode(processor.prompt(turn)[1:]) == told
    for stop in (processor.end_id, processor.tokenizer.convert_tokens_to_ids(END)):
        bias = [[[stop], 1000.0]]
        one = write(model, processor, [turn], 1, max_new_tokens=4, do_sample=False, sequence_bias=bias)[0]
        assert (one.text, one.tokens, len(one.shares.contributions["vision"])) == ("", [], 0)


def test_bad_pictures_are_named_or_left_out(runs, folder, tmp_path, capsys):
    for name in ("0 <b>.png", "1 <b>.png"):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / "broken.png").write_bytes((folder / "0 <b>.png").read_bytes()[:200])
    common = ("--run", runs["dm"], "--max-new-tokens", 2, "--device", "cpu")
    assert call("caption", *common, "--folder", tmp_path) == 2
    told = capsys.readouterr().err
    assert "broken.png" in told and "--skip-bad" in told and "Traceback" not in told
    assert call("caption", *common, "--folder", tmp_path, "--skip-bad", "--out", tmp_path / "out.jsonl") == 0
    assert len(rows_of(tmp_path / "out.jsonl")) == 2 and "1 of 3 left out" in capsys.readouterr().err
    assert call("caption", *common, "--image", tmp_path / "broken.png", "--skip-bad") == 2
    assert "nothing would be left" in capsys.readouterr().err


def test_errors_say_what_to_do(runs, folder, tmp_path, capsys):
    image = folder / "0 <b>.png"

    def told(*arguments) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "200")
            assert call(*arguments) == 2
        return capsys.readouterr().err

    assert "holds no trained model" in told("caption", "--run", tmp_path, "--image", image)
    assert "objective retrieve" in told("retrieve", "--run", runs["dm"], "--folder", folder, "--text", "a")
    assert "objective generate" in told("caption", "--run", runs["retrieve"], "--image", image)
    assert "known endings" in told("caption", "--run", runs["dm"], "--folder", tmp_path)
    assert "--question" in told("answer", "--run", runs["dm"], "--image", image)
    assert "shorten" in told("caption", "--run", runs["dm"], "--image", image, "--max-new-tokens", 5000)
    (tmp_path / "b.jsonl").write_text('{"image": "x.png"}\n{"picture": "x.png"}\n')
    assert "line 2" in told("caption", "--run", runs["dm"], "--batch", tmp_path / "b.jsonl")
    damaged = shutil.copytree(runs["dm"], tmp_path / "damaged")
    weights = damaged / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "damaged" in told("caption", "--run", damaged, "--image", image)
    (damaged / "config.json").write_text(json.dumps({"step": "step3_gpt", "config": {}}))
    assert "step3_gpt" in told("caption", "--run", damaged, "--image", image)


@pytest.mark.parametrize("command", ["caption", "retrieve"])
def test_options_that_do_not_fit_are_refused(runs, command, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "300")
        try:
            status = call(command, "--run", runs["dm"])
        except SystemExit as stopped:  # tyro's own
            status = stopped.code
    told = capsys.readouterr()
    assert status == 2 and "--folder" in told.err + told.out
