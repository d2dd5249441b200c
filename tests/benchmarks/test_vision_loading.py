"""The files that are read are JPEGs of the stated size, and the ratios compare reading with consuming."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.vision_loading import CONSUMERS, READERS, Settings, jpegs_in, rows_of, write_jpegs


def test_drawn_jpegs_are_files_of_the_stated_size(tmp_path):
    paths = write_jpegs(tmp_path, Settings(pictures=3, width=64, height=48))
    assert jpegs_in(tmp_path) == sorted(paths) and len(paths) == 3
    pictures = [Image.open(path) for path in paths]
    assert all((picture.format, picture.size) == ("JPEG", (64, 48)) for picture in pictures)
    assert len({np.asarray(picture).tobytes() for picture in pictures}) == 3
    (tmp_path / "smooth").mkdir()
    smooth = write_jpegs(tmp_path / "smooth", Settings(pictures=3, width=64, height=48, noise=0.0))
    sizes = [sum(Path(path).stat().st_size for path in some) for some in (paths, smooth)]
    assert sizes[0] > 1.5 * sizes[1]
    with pytest.raises(FileNotFoundError, match="leave --folder out"):
        jpegs_in(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="height up to their width"):
        Settings(width=64, height=65)


def test_ratios_are_read_over_consumed():
    seconds = dict(zip((*CONSUMERS, *READERS), (4.0, 2.0, 1.0, 0.5, 0.25), strict=True))
    found = {arm: {"peak": 2**20, "seconds": [9.0, value, 0.0]} for arm, value in seconds.items()}
    rows = {row["arm"]: row for row in rows_of(found, batch=8)}
    assert [rows[arm]["pictures_per_second"] for arm in (*CONSUMERS, *READERS)] == [2, 4, 8, 16, 32]
    in_turn, in_threads = (f"{way} ratio" for way in READERS)
    assert [(rows[arm][in_turn], rows[arm][in_threads]) for arm in CONSUMERS] == [(8, 16), (4, 8), (2, 4)]
    assert rows[READERS[0]][in_turn] is None
