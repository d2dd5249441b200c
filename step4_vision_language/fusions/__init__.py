"""Ways in which a picture reaches a language model, one file each."""

import importlib
import pkgutil

from step4_vision_language.fusions.base import Fusion, Pictures, Shape, build_fusion, fusions

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Fusion", "Pictures", "Shape", "build_fusion", "fusions"]
