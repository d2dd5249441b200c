"""Tar shards in the layout of WebDataset, such as Conceptual Captions (Sharma et al. 2018) as img2dataset writes it.

A sample is the consecutive members with one stem: ``000123.jpg`` with ``000123.txt`` (a caption) or ``000123.json``
(``caption``, or ``question`` and ``answers``). The shards stay as they are: loading goes through them once for the
texts and for where each picture begins, about a kilobyte a sample, and a picture is read out of its shard when it is
needed. So samples come in any order, and a killed run goes on as with any other dataset.
"""

from __future__ import annotations

import glob
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common.data.vision.sample import (
    SPLITS,
    DataError,
    ImageSource,
    RawVision,
    Sample,
    VisionDataConfig,
    register_vision,
)
from common.data.vision.split import hold_out_images

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
TEXTS = (".txt", ".json")
NAMES = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}
"""Words in the name of a shard, or of its folder -> the split it belongs to; shards without one are training data."""
_ADVICE = (
    "give `path` a folder with .tar files or a pattern such as 'cc3m/{00000..00331}.tar'; pixparse/cc3m-wds on the "
    "Hugging Face hub is Conceptual Captions in this form (hf download pixparse/cc3m-wds --repo-type dataset "
    "--local-dir cc3m)"
)


@register_vision("webdataset")
def load_webdataset(config: VisionDataConfig) -> RawVision:
    """All samples of the shards that ``config.path`` names. Splits without a shard are held out from training, by
    picture, `validation_fraction` each.

    Raises:
        DataError: no shard, a damaged or compressed one, or (without `skip_bad`) a sample without picture or text.
    """
    paths = shard_paths(config.path)
    top = Path(os.path.commonpath([path.parent for path in paths]))
    splits: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    bad: list[str] = []
    for path in paths:
        name = path.relative_to(top).as_posix()
        for found in samples_of(path, name):
            if isinstance(found, Sample):
                splits[split_of(name)].append(found)
            else:
                bad.append(found)
                if not config.skip_bad:
                    raise DataError(f"{found}; leave such samples out with skip_bad=True")
    notes = [f"webdataset: {len(bad):,} samples left out, such as {bad[0]}"] if bad else []
    if not splits["train"]:
        raise DataError(f"{config.path} has no training sample; {_ADVICE}")
    for split in ("test", "validation"):
        if not splits[split]:
            splits["train"], splits[split] = hold_out_images(splits["train"], config.validation_fraction, config.seed)
            notes.append(f"webdataset: no shard is called {split}; {len(splits[split]):,} samples were held out")
    tasks = {"caption" if sample.captions else "question" for samples in splits.values() for sample in samples}
    if len(tasks) > 1:
        raise DataError(f"{config.path} has captions and questions; keep them in folders of their own")
    return RawVision(f"{len(paths):,} shards in {top}", tasks.pop(), splits, tuple(notes))


def shard_paths(where: str) -> list[Path]:
    """The shards that a folder (with those below it) or a pattern names, sorted.

    Raises:
        DataError: one is missing or compressed, or there is none.
    """
    if not where:
        raise DataError(f"webdataset needs shards on this machine; {_ADVICE}")
    folder = Path(where).expanduser()
    if folder.is_dir():
        paths = [path for path in folder.rglob("*") if path.name.endswith((".tar", ".tar.gz", ".tgz"))]
    else:
        paths = [Path(path) for part in _expanded(str(folder)) for path in glob.glob(part) or [part]]
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise DataError(f"no shard {missing[0] if missing else where}; {_ADVICE}")
    packed = [path for path in paths if path.suffix != ".tar"]
    if packed:
        raise DataError(f"{packed[0]} is no .tar, so no picture can be read out of it alone; unpack it with gunzip")
    return sorted(set(paths))


def split_of(name: str) -> str:
    """The split that the name of a shard says, its folders before it: ``cc3m-validation-0003.tar``, ``val/3.tar``."""
    words = [word for part in reversed(name.split("/")) for word in re.split(r"[-_.]", part.lower())]
    return next((NAMES[word] for word in words if word in NAMES), "train")


def samples_of(path: Path, name: str) -> Iterator[Sample | str]:
    """The samples of one shard, in order; of a sample without picture or text, what is wrong with it.

    Args:
        path: the shard.
        name: of the shard, with which the ids of its samples begin.

    Raises:
        DataError: when the shard is damaged or cut short.
    """
    for stem, members, picture in _groups(path):
        found = _sample(f"{name}:{stem}", members, picture)
        yield found if isinstance(found, Sample) else f"{path}, {stem}: {found}"


def _groups(path: Path) -> Iterator[tuple[str, dict[str, bytes], ImageSource | None]]:
    """(stem, {ending: text}, picture) of the consecutive members of one stem. Other members are passed over."""
    current, texts, picture = "", dict[str, bytes](), None
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                # The archive would keep a record of every member it has passed.
                archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
                folder, _, name = member.name.rpartition("/")
                base, dot, ending = name.partition(".")
                if not member.isfile() or not base:
                    continue
                stem, ending = f"{folder}/{base}" if folder else base, (dot + ending).lower()
                if stem != current:
                    if texts or picture:
                        yield current, texts, picture
                    current, texts, picture = stem, {}, None
                if ending in PICTURES and member.size and picture is None:
                    picture = ImageSource(str(path), member.name, member.offset_data, member.size)
                file = archive.extractfile(member) if ending in TEXTS else None
                if file is not None:
                    texts[ending] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{path} is damaged or cut short after {current!r} ({error})") from error
    if texts or picture:
        yield current, texts, picture


def _sample(name: str, members: dict[str, bytes], picture: ImageSource | None) -> Sample | str:
    """The sample, or what is wrong with it."""
    if picture is None:
        return "no picture"
    try:
        said: Any = json.loads(members.get(".json", b"{}"))
        caption = members.get(".txt", b"").decode().strip()
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        return f"a text that cannot be read ({error})"
    if not isinstance(said, dict):
        return "its json is no object"
    question = str(said.get("question") or "").strip()
    answers = _texts(said.get("answers") or said.get("answer"))
    if question and answers:
        return Sample(name, (picture,), question=question, answers=answers)
    captions = _texts(said.get("captions") or caption or said.get("caption"))
    return Sample(name, (picture,), captions) if captions else "no caption, and no question with answers"


def _texts(said: Any) -> tuple[str, ...]:
    """The texts in a field of a sample, which may be one or a list."""
    listed: Sequence[Any] = said if isinstance(said, list) else [] if said is None else [said]
    return tuple(text for text in (str(part).strip() for part in listed) if text)


def _expanded(pattern: str) -> list[str]:
    """``a{00..02}b`` as a00b, a01b, a02b."""
    match = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if match is None:
        return [pattern]
    width = len(match[1])
    rest = _expanded(pattern[match.end() :])
    return [
        f"{pattern[: match.start()]}{n:0{width}d}{tail}"
        for n in range(int(match[1]), int(match[2]) + 1)
        for tail in rest
    ]
