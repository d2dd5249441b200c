"""Number formats: what `auto` stands for on each kind of machine, and what a machine cannot do."""

from __future__ import annotations

import pytest
import torch

from common.training import precision
from common.training.precision import autocast, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(("flags", "expected"), [("avx512_bf16 amx_bf16", "bf16"), ("avx512_bf16", "fp32")])
def test_auto_takes_bf16_on_a_cpu_only_where_it_has_matrix_units(tmp_path, monkeypatch, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"flags: {flags}\n")
    monkeypatch.setattr(precision, "FLAGS", tmp_path / "cpuinfo")
    assert resolve_precision("auto", CPU) == expected
    with autocast("auto", CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if expected == "bf16" else torch.float32)


def test_auto_takes_fp32_where_the_processor_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "FLAGS", tmp_path / "missing")
    assert resolve_precision("auto", CPU) == "fp32"


def test_a_named_precision_stays_and_one_that_cannot_be_had_is_refused():
    assert resolve_precision("bf16", CPU) == "bf16"
    with pytest.raises(ValueError, match="fp16 needs a GPU"):
        resolve_precision("fp16", CPU)
