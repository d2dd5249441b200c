"""Pictures with texts, for captioning, visual question answering and retrieval: one small loader per dataset.

:mod:`~common.data.vision.transforms` and :mod:`~common.data.vision.shards` need torch and are imported by name.
"""

from common.data.vision import coco, daquar, easy_vqa, flickr, instructions, scenes, vqa
from common.data.vision.sample import (
    SPLITS,
    DataError,
    ImageError,
    ImageSource,
    Sample,
    VisionCorpus,
    VisionDataConfig,
    load_vision,
    register_vision,
    vision_datasets,
)

__all__ = [
    "SPLITS", "DataError", "ImageError", "ImageSource", "Sample", "VisionCorpus", "VisionDataConfig",
    "coco", "daquar", "easy_vqa", "flickr", "instructions", "load_vision", "register_vision", "scenes",
    "vision_datasets", "vqa",
]  # fmt: skip
