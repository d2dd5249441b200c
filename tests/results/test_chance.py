"""The computed row of retrieval by chance, against the metrics of similarities that are noise."""

import numpy as np
import pytest

from common.evaluation.retrieval import retrieval_scores
from results.table4_vision_language.chance import chance


@pytest.mark.parametrize("counts", [(5,), (1, 2, 4)])
def test_it_is_what_noise_scores(counts):
    texts = np.resize(counts, 120)
    of_text = np.repeat(np.arange(len(texts)), texts)
    noise = np.random.default_rng(0)
    draws = [retrieval_scores(noise.random((len(texts), len(of_text))), of_text) for _ in range(200)]
    expected = chance(texts)
    assert set(expected) == set(draws[0])
    for name, value in expected.items():
        seen = [draw[name] for draw in draws]
        spread = np.std(seen) / np.sqrt(len(seen))
        # The median of a sample may lie between two ranks, so half a rank is no contradiction.
        assert np.mean(seen) == pytest.approx(value, abs=5 * spread + (0.75 if "rank" in name else 0)), name


def test_few_pictures_are_all_among_the_first():
    found = chance(np.array([1, 1, 1]))
    assert found["text_to_image_recall_1"] == pytest.approx(1 / 3) and found["text_to_image_recall_5"] == 1
    assert found["image_to_text_recall_10"] == 1 and found["image_to_text_median_rank"] == 2
