"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from common.evaluation.metrics import classification_metrics, expected_calibration_error, macro_f1, softmax


def test_classification_metrics_by_hand():
    logits = np.eye(3)[[0, 0, 1, 2]]
    metrics = classification_metrics(logits, [0, 1, 1, 0], ordinal=True)
    assert metrics["accuracy"] == 0.5
    assert metrics["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert metrics["within_1"] == 0.75 and metrics["mae"] == pytest.approx(3 / 4)


def test_nominal_classes_have_no_distance():
    assert set(classification_metrics(np.eye(3), [0, 1, 2])) == {"accuracy", "macro_f1", "ece"}


def test_macro_f1_counts_a_class_never_hit_as_zero():
    assert macro_f1([0, 0], [0, 1]) == pytest.approx((2 / 3 + 0) / 2)


def test_calibration_error_by_hand():
    # Confidence 0.9 with accuracy 0.5: a gap of 0.4. Sure and right: none.
    assert expected_calibration_error([[0.9, 0.1], [0.9, 0.1]], [0, 1]) == pytest.approx(0.4)
    assert expected_calibration_error([[1.0, 0.0]], [0]) == 0


def test_softmax_survives_large_logits():
    assert softmax([[1e4, 0.0]]) == pytest.approx(np.array([[1.0, 0.0]]))


@pytest.mark.parametrize("labels", [[0], [0, 3], []])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(ValueError):
        classification_metrics(np.eye(3)[:2], labels)
