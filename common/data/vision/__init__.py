"""Pictures with texts, for captioning, visual question answering and retrieval: one small loader per dataset.

:mod:`~common.data.vision.transforms` needs torch and is imported by name.
"""

from common.data.vision import coco, daquar, easy_vqa, flickr, instructions, scenes, vqa, webdataset
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
    "vision_datasets", "vqa", "webdataset",
]  # fmt: skip
