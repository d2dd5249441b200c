"""What a frozen encoder makes of pictures, computed once and kept on disk."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from common.data.vision.opening import MAX_PIXELS, open_image
from common.data.vision.source import ImageError, ImageSource
from common.data.vision.transforms import Preprocess
from common.files import read_json, write_json, write_text
from common.vision.encoder import VisionEncoder

BATCH = 32
"""Pictures that are encoded at once."""
_REVISION = 2  # raise when features change, so that cached ones are made anew


class FeatureStore:
    """Patch tokens and pooled vectors of pictures, in half precision, read from disk as they are asked for.

    Args:
        folder: with ``patches.npy`` ``[N, P, C]`` and ``pooled.npy`` ``[N, E]``.
        rows: key of a picture -> its row.
    """

    def __init__(self, folder: Path, rows: dict[str, int]) -> None:
        self.rows = rows
        self.patches = np.load(folder / "patches.npy", mmap_mode="r")
        self.pooled = np.load(folder / "pooled.npy", mmap_mode="r")

    def read(self, sources: Sequence[ImageSource]) -> tuple[Tensor, Tensor]:
        """``[N, P, C]`` and ``[N, E]`` in fp32."""
        rows = [self.rows[source.key] for source in sources]
        return torch.from_numpy(self.patches[rows]).float(), torch.from_numpy(self.pooled[rows]).float()


def preprocess_of(encoder: VisionEncoder) -> Preprocess:
    """How the encoder wants its pictures."""
    mean, std = ((*value[:3],) for value in (encoder.mean, encoder.std))
    return Preprocess(encoder.config.image_size, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))


def feature_store(
    encoder: VisionEncoder,
    sources: Sequence[ImageSource],
    cache: Path,
    device: torch.device,
    progress: bool = True,
    max_pixels: int = MAX_PIXELS,
) -> FeatureStore:
    """The features of `sources`, from the cache or computed now; a build that was killed goes on where it stood.

    Raises:
        ImageError: a picture that cannot be read.
    """
    unique = list({source.key: source for source in sources}.values())
    rows = {source.key: row for row, source in enumerate(unique)}
    folder = cache / f"features-{_fingerprint(encoder, unique)}"
    if not (folder / "done").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / f"{folder.name}.lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits and then finds the result
            if not (folder / "done").is_file():
                _build(encoder, unique, folder, device, progress, max_pixels)
    return FeatureStore(folder, rows)


@torch.no_grad()
def _build(
    encoder: VisionEncoder,
    sources: Sequence[ImageSource],
    folder: Path,
    device: torch.device,
    progress: bool,
    max_pixels: int,
) -> None:
    building = folder.with_name(folder.name + ".part")
    prepare, encoder = preprocess_of(encoder), encoder.to(device).eval()
    building.mkdir(exist_ok=True)
    state = building / "state.json"
    begin = read_json(state)["done"] if state.is_file() else 0
    arrays: list[np.memmap] = []

    def pixels(source: ImageSource) -> Tensor:
        try:
            return prepare(open_image(source, max_pixels))
        except ImageError as error:
            raise ImageError(f"{error}; data.check=pixels with data.skip_bad leaves such pictures out") from error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = tqdm(total=len(sources), initial=begin, desc="pictures", disable=not progress)
        for first in range(begin, len(sources), BATCH):
            chosen = sources[first : first + BATCH]
            visual = encoder(torch.stack(list(pool.map(pixels, chosen))).to(device))
            if not arrays:
                shapes = {"patches": visual.patches.shape[1:], "pooled": visual.pooled.shape[1:]}
                arrays = [
                    np.lib.format.open_memmap(
                        building / f"{name}.npy", "r+" if begin else "w+", np.float16, (len(sources), *shape)
                    )
                    for name, shape in shapes.items()
                ]
            for array, value in zip(arrays, visual, strict=True):
                array[first : first + len(chosen)] = value.half().cpu().numpy()
            bar.update(len(chosen))
            if first // BATCH % 16 == 15:
                for array in arrays:
                    array.flush()
                write_json(state, {"done": first + len(chosen)})
        bar.close()
    for array in arrays:
        array.flush()
    write_text(building / "done", str(len(sources)))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(building, folder)


def _fingerprint(encoder: VisionEncoder, sources: Sequence[ImageSource]) -> str:
    """Changes with the encoder's name, architecture and weights (weights alone say neither which activation stands
    between them nor how many heads share them), with how pictures are prepared and padded, and with the pictures, of
    which only file name and size in bytes count: a picture replaced by one of the same name and size goes unnoticed.
    """
    config = encoder.config
    setup = (_REVISION, preprocess_of(encoder), config.name, config.depths, config.same_padding)
    digest = hashlib.sha256(repr(setup).encode())
    digest.update(json.dumps(encoder.architecture(), sort_keys=True).encode())
    for name, value in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    for source in sources:
        digest.update(source.identity().encode() + b"\n")
    return digest.hexdigest()[:24]
