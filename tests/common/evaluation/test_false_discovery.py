"""Benjamini and Hochberg's correction against the worked example of their paper."""

import numpy as np
import pytest

from common.evaluation.false_discovery import benjamini_hochberg
from common.evaluation.statistics import holm

# Benjamini and Hochberg 1995, section 3.2: fifteen hypotheses about patients after a heart attack.
PUBLISHED = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
PUBLISHED += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]


def test_the_papers_example_rejects_four_and_a_family_wise_correction_three():
    assert np.sum(benjamini_hochberg(PUBLISHED) <= 0.05) == 4
    assert np.sum(holm(PUBLISHED) <= 0.05) == 3
    assert benjamini_hochberg(PUBLISHED)[3] == pytest.approx(15 / 4 * 0.0095)


def test_by_hand_in_any_order():
    # Times M / rank: 0.04, 0.06, 0.0533, 0.05; each then at most the next larger p's.
    assert benjamini_hochberg([0.05, 0.01, 0.03, 0.04]) == pytest.approx([0.05, 0.04, 0.05, 0.05])


def test_it_lies_between_raw_and_holm():
    raw = np.random.default_rng(0).random(30) ** 2
    corrected = benjamini_hochberg(raw)
    assert np.all(raw <= corrected) and np.all(corrected <= holm(raw) + 1e-12)


def test_untested_rows_are_left_out():
    corrected = benjamini_hochberg([np.nan, 0.01, 0.04])
    assert np.isnan(corrected[0]) and corrected[1:] == pytest.approx([0.02, 0.04])
    assert benjamini_hochberg([]).size == 0


def test_the_share_of_false_findings_is_held():
    random = np.random.default_rng(1)
    shares = []
    for _ in range(400):
        p = random.random(20)
        p[:5] /= 1000  # five true effects, well visible
        found = benjamini_hochberg(p) <= 0.1
        shares.append(found[5:].sum() / max(found.sum(), 1))
    assert np.mean(shares) == pytest.approx(0.1 * 15 / 20, abs=0.02)  # their theorem 1 for independent tests
