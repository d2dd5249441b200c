"""Number formats: what `auto` stands for on each kind of machine, and what a machine cannot do."""

from __future__ import annotations

import pytest
import torch

from common.training import precision
from common.training.precision import autocast, cpu_prefers_bf16, matmul_seconds, resolve_precision, warn_if_slow

CPU = torch.device("cpu")


@pytest.mark.parametrize(("bf16", "expected"), [(0.5, "bf16"), (0.95, "fp32"), (2.0, "fp32")])
def test_auto_takes_bf16_on_a_cpu_only_where_it_is_clearly_faster(monkeypatch, bf16, expected):
    monkeypatch.setattr(precision, "matmul_seconds", lambda kinds: {torch.bfloat16: bf16, torch.float32: 1.0})
    cpu_prefers_bf16.cache_clear()
    assert resolve_precision("auto", CPU) == expected
    with autocast("auto", CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if expected == "bf16" else torch.float32)
    cpu_prefers_bf16.cache_clear()


@pytest.mark.parametrize(("bf16", "slow"), [(0.2, False), (2.0, True)])
def test_bf16_on_a_cpu_that_is_slow_at_it_is_said(monkeypatch, recwarn, bf16, slow):
    monkeypatch.setattr(precision, "matmul_seconds", lambda kinds: {torch.bfloat16: bf16, torch.float32: 1.0})
    for name in ("bf16", "fp32"):
        cpu_prefers_bf16.cache_clear()
        warn_if_slow(name, CPU)
    cpu_prefers_bf16.cache_clear()
    assert ["--train.precision fp32" in str(one.message) for one in recwarn] == [True] * slow


def test_the_measurement_sees_a_format_that_is_much_slower():
    """Products of integers are not handed to a matrix library."""
    seconds = matmul_seconds((torch.int64, torch.float32), rounds=2)
    assert seconds[torch.int64] > 2 * seconds[torch.float32]


def test_a_named_precision_stays_and_one_that_cannot_be_had_is_refused():
    assert resolve_precision("bf16", CPU) == "bf16"
    with pytest.raises(ValueError, match="fp16 needs a GPU"):
        resolve_precision("fp16", CPU)
