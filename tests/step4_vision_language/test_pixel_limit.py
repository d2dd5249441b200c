"""Pictures that a user names are held to the limit with which the run was trained."""

from __future__ import annotations

import json

import pytest

from common.data.vision import VisionDataConfig, opening
from step4_vision_language import data, page
from step4_vision_language.config import variant
from step4_vision_language.run import run
from tests.step4_vision_language.conftest import call, runtime, tiny

LIMIT = 100_000_001  # above the default


@pytest.fixture(scope="module")
def finished(cache, tmp_path_factory):
    """Runs by objective."""
    place = tmp_path_factory.mktemp("runs")
    scenes = VisionDataConfig(scene_sizes=(16, 8, 8), max_pixels=LIMIT)
    return {
        objective: run(variant(tiny(data=scenes, objective=objective), "dm"), runtime(cache, place))
        for objective in ("generate", "retrieve")
    }


@pytest.fixture
def limits(monkeypatch):
    """Where pictures are opened -> the limits that were asked for there."""
    found: dict[str, set[int]] = {}
    original = opening.open_image
    for module in (opening, data, page):

        def opened(source, max_pixels=opening.MAX_PIXELS, name=module.__name__):
            found.setdefault(name.split(".")[-1], set()).add(max_pixels)
            return original(source, max_pixels)

        monkeypatch.setattr(module, "open_image", opened)
    return found


def test_every_reader_asks_for_the_limit_of_the_run(finished, folder, limits, tmp_path):
    common = ("--device", "cpu", "--folder", folder)
    assert (
        call("caption", "--run", finished["generate"], *common, "--max-new-tokens", 2, "--out", tmp_path / "a.html")
        == 0
    )
    assert limits == {"opening": {LIMIT}, "data": {LIMIT}, "page": {LIMIT}}
    limits.clear()
    assert call("retrieve", "--run", finished["retrieve"], *common, "--text", "a circle") == 0
    assert limits == {"opening": {LIMIT}, "data": {LIMIT}}


@pytest.mark.parametrize("objective", ["generate", "retrieve"])
def test_larger_pictures_are_refused(finished, folder, tmp_path, capsys, objective):
    """The picture of 300 x 400 among six; the others are read."""
    small = tmp_path / "run"
    small.mkdir()
    (small / "model").symlink_to(finished[objective] / "model")
    record = json.loads((finished[objective] / "config.json").read_text())
    record["config"]["data"]["max_pixels"] = 300 * 400 - 1
    (small / "config.json").write_text(json.dumps(record))
    told = {"generate": ("caption", "--max-new-tokens", 2), "retrieve": ("retrieve", "--text", "a circle")}[objective]
    common = (*told, "--run", small, "--device", "cpu", "--folder", folder)
    assert call(*common) == 2
    error = capsys.readouterr().err
    assert "300 x 400 is more than the 119,999 pixels allowed" in error and "--skip-bad" in error
    assert call(*common, "--skip-bad") == 0
    assert "1 of 6 left out" in capsys.readouterr().err
