"""Ranks and recall of retrieval, worked by hand."""

import numpy as np
import pytest

from common.evaluation.retrieval import retrieval_ranks, retrieval_scores

# Two images with two captions each.
OWNERS = [0, 0, 1, 1]
SIMILARITY = [
    [0.1, 0.7, 0.9, 0.3],
    [0.5, 0.8, 0.2, 0.4],
]


def test_ranks_worked_by_hand():
    of_images, of_captions = retrieval_ranks(SIMILARITY, OWNERS)
    # Image 0: its best caption (0.7) comes after 0.9. Image 1: 0.4 comes after 0.8 and 0.5.
    assert of_images.tolist() == [2, 3]
    assert of_captions.tolist() == [2, 2, 2, 1]


def test_scores_worked_by_hand():
    scores = retrieval_scores(SIMILARITY, OWNERS)
    assert scores["image_to_text_recall_1"] == 0 and scores["image_to_text_recall_5"] == 1
    assert scores["text_to_image_recall_1"] == 0.25 and scores["text_to_image_recall_10"] == 1
    assert scores["image_to_text_median_rank"] == 2.5 and scores["text_to_image_median_rank"] == 2
    assert len(scores) == 8


def test_a_perfect_model_and_a_constant_one():
    owners = np.repeat(np.arange(20), 5)
    perfect = retrieval_scores(np.eye(20)[:, owners], owners)
    assert all(value == 1 for value in perfect.values())
    of_images, of_captions = retrieval_ranks(np.zeros((20, 100)), owners)
    assert (of_images == 96).all() and (of_captions == 20).all()  # behind all wrong answers


def test_equally_good_captions_of_the_same_image_are_no_tie():
    of_images, _ = retrieval_ranks([[0.9, 0.9, 0.1], [0.0, 0.0, 0.5]], [0, 0, 1])
    assert of_images.tolist() == [1, 1]


def test_ranks_of_random_similarities():
    random = np.random.default_rng(0)
    owners = random.permutation(np.repeat(np.arange(30), 4))
    similarity = random.normal(size=(30, 120))
    of_images, of_captions = retrieval_ranks(similarity, owners)
    for image, rank in enumerate(of_images):  # the first place of an own caption in the sorted list
        assert owners[np.argsort(-similarity[image])].tolist().index(image) + 1 == rank
    for caption, rank in enumerate(of_captions):
        assert np.argsort(-similarity[:, caption]).tolist().index(owners[caption]) + 1 == rank
    order = random.permutation(120)
    again = retrieval_ranks(np.exp(similarity[:, order]), owners[order])  # only the order of similarities counts
    assert (again[0] == of_images).all() and (again[1] == of_captions[order]).all()
    scores = retrieval_scores(similarity, owners)
    for way in ("image_to_text", "text_to_image"):
        assert scores[f"{way}_recall_1"] <= scores[f"{way}_recall_5"] <= scores[f"{way}_recall_10"]


@pytest.mark.parametrize(
    ("similarity", "owners", "message"),
    [
        ([[1.0, 2.0]], [0], "an image for each of C"),
        ([1.0, 2.0], [0, 0], r"\[I, C\]"),
        (np.zeros((0, 0)), [], r"\[I, C\]"),
        ([[1.0, np.nan]], [0, 0], "1 similarities are NaN"),
        ([[1.0, 2.0], [1.0, 2.0]], [0, 0], r"0\.\.1"),  # no caption of image 1
        ([[1.0, 2.0]], [0, 1], r"0\.\.0"),
        ([[1.0, 2.0], [1.0, 2.0]], [0, -1], r"0\.\.1"),
        ([[1.0, 2.0], [1.0, 2.0]], [0.0, 1.0], r"0\.\.1"),
    ],
)
def test_arguments_that_do_not_fit(similarity, owners, message):
    with pytest.raises(ValueError, match=message):
        retrieval_ranks(similarity, owners)
