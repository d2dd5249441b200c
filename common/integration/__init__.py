"""Integration rules and baseline fusions: one small file each, found by importing this package."""

import importlib
import pkgutil

from common.integration.base import (
    Combined,
    Integrated,
    Integration,
    IntegrationConfig,
    Site,
    build_integration,
    register,
    rules,
)

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "__main__":
        importlib.import_module(f"{__name__}.{_module.name}")


def DM(**options) -> IntegrationConfig:
    """Config of Direct Mixing: a learned scalar α per stream."""
    return IntegrationConfig(rule="dm", **options)


def LI(**options) -> IntegrationConfig:
    """Config of Linear Integration: a matrix per stream."""
    return IntegrationConfig(rule="li", **options)


__all__ = [
    "DM", "LI", "Combined", "Integrated", "Integration", "IntegrationConfig", "Site", "build_integration", "register",
    "rules",
]  # fmt: skip
