"""What the README says of the tables follows their numbers, in either direction."""

import numpy as np
import pandas as pd
import pytest

from results.answers import NOTHING, overview, robustness, starts, transfer, universality
from results.stream_answers import importance, pictures
from results.table9_importance.rows import ALL, NONE, VALUES


def _overall(folder, ranks):
    """`ranks` by domain: variant -> rank; in domain b they are luck."""
    domains = [
        {
            "section": section, "variant": name, "rank": rank, "seeds": 3, "mark": "best" if rank == 1 else "worse",
            "told_apart": section != "b",
        }
        for section, of in ranks.items()
        for name, rank in of.items()
    ]  # fmt: skip
    (folder / "overall").mkdir(parents=True)
    pd.DataFrame(domains).to_csv(folder / "table.csv", index=False)
    row = dict.fromkeys(
        (
            "rank",
            "rank_low",
            "rank_high",
            "rank_dm",
            "first",
            "in_errors",
            "iqm",
            "iqm_low",
            "iqm_high",
            "iqm_dm",
            "task_rank",
            "task_rank_low",
            "task_rank_high",
            "task_rank_dm",
        ),
        1.5,
    )
    counts = {"single": 0, "tasks": 2, "iqm_domains": 4, "beats": 1, "tested": 3}
    overall = [row | counts | {"variant": name, "domains": n} for name, n in (("dm", 4), ("li", 4), ("gmu", 3))]
    pd.DataFrame(overall).to_csv(folder / "overall" / "table.csv", index=False)
    return folder


def test_the_rule_with_most_first_ranks_is_named(tmp_path):
    first, second = {"dm": 1.0, "li": 2.0}, {"dm": 2.0, "li": 1.0}
    text = universality(_overall(tmp_path / "some", {"a": first, "b": second, "c": second}))
    assert "No rule is best everywhere; li has the largest gain in 2 of 3 domains (other fusions" in text
    assert "that were run there: none in 2)" in text
    assert "Only in 2 domains is some rule shown to be better" in text and "there: li in 1, dm in 1." in text
    assert text.endswith("Shown to be behind the best row of a domain: dm in 2 (b; c), li in 1 (a).")
    assert "dm in 1 of 3; li in 1 of 3." in text and "gmu" not in text  # too few domains
    every = universality(_overall(tmp_path / "all", {"a": first, "b": first}))
    assert "No rule" not in every and "dm has the largest gain in 2 of 2 domains (other" in every
    rivals = {"a": first | {"gmu": 3.0}, "b": first | {"gmu": 3.0, "concat": 4.0}, "c": first}
    assert "(other fusions that were run there: none in 1; 1 in 1; 2 in 1)" in universality(
        _overall(tmp_path / "r", rivals)
    )


def _directions(path, gap, p):
    scored = {"section": "text to pictures: x", "score_mean": 0.5, "score_std": 0.1, "score_scale": 100, "scale": 100}
    comparisons = {
        f"{column}{end}": value
        for column in ("difference", "to_random")
        for end, value in (("", gap), ("_low", gap - 0.1), ("_high", gap + 0.1), ("_p_holm", p))
    }
    rows = [
        scored | comparisons | {"score_digits": 1, "digits": 2, "variant": name}
        for name in ("learnt", "transfer", "equal")
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("gap", "p", "said"),
    [
        (-0.2, 0.01, "worse than those learnt here, worse than random ones"),
        (0.2, 0.01, "better than those learnt here, better than random ones"),
        (0.2, 0.2, "no significant difference to those learnt here, no significant difference to random ones"),
    ],
)
def test_transfer_is_judged_by_sign_and_p(tmp_path, gap, p, said):
    text = transfer(_directions(tmp_path / "table.csv", gap, p))
    assert f"Weights learnt elsewhere, text to pictures: {said}." in text
    assert f"Equal weights, frozen, text to pictures: {said.split(', ')[0]} (" in text
    assert "| text to pictures: x | — | 50.0 ± 10.0 | 50.0 ± 10.0 | — | 50.0 ± 10.0 |" in text


@pytest.mark.parametrize(("p", "said"), [(0.5, "noise: none."), (0.01, "noise: dm on trec: typos, 30 %; li")])
def test_noise_that_differs_is_named(tmp_path, p, said):
    rows = [
        {
            "section": f"trec: typos, {100 * rate:.0f} %", "setting": "trec", "kind": "typo", "rate": rate,
            "variant": name, "seeds": 2, "clean_mean": 0.9, "accuracy_mean": 0.9 - rate, "accuracy_std": 0.01,
            "changed": 250, "words": 1000,
            "difference_p_holm": p if name != "meaning" and rate == 0.3 else None,
        }
        for rate in (0.1, 0.3)
        for name in ("meaning", "dm", "li")
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    text = robustness(tmp_path / "table.csv")
    assert "| trec: typos | 25 % of 1,000 | 90.00 | 60.00 ± 1.00 | 60.00 ± 1.00 | 60.00 ± 1.00 |" in text
    assert said in text and "among 2 comparisons" in text


def test_without_runs_nothing_is_claimed(tmp_path):
    makers = (transfer, robustness, importance, overview)
    assert {universality(tmp_path), pictures(tmp_path), *(maker(tmp_path / "table.csv") for maker in makers)} == {
        NOTHING
    }


def test_streams_are_counted_without_the_reference_and_the_pair(tmp_path):
    values = {f"{name}_{end}": 0.1 for name in VALUES for end in ("mean", "std", "low", "high")}
    values |= {f"{name}_seeds": 1 if name == "contribution" else 2 for name in VALUES}
    values |= dict.fromkeys(("retrained", "retrained_low", "retrained_high"), 0.02)
    streams = (("meaning", ALL), ("phonetic", NONE), ("phonetic+morphological", ALL))
    rows = [
        values
        | {"section": f"trec, minilm: {rule}", "rule": rule, "variant": stream, "seeds": 2, "verdict": verdict}
        | {"known": "zero mean", "shows": "zero mean" if verdict == ALL else None}
        for rule in ("dm", "li")
        for stream, verdict in streams
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    text = importance(tmp_path / "table.csv")
    assert "Of 2 secondary streams" in text and "0 are shown" in text and "0 by some and 2 by none" in text
    assert text.count("| 2 of 2 |") == 2 and text.count("| 0 of 2 |") == 1
    assert text.count("| trec, minilm: dm | ") == 3 and "+2.00 [+2.00, +2.00]" in text  # dm alone is shown
    assert "(1 of 2)" in text and "(2 of 2)" not in text


def test_a_stream_that_counts_with_a_small_alpha_is_named(tmp_path):
    values = {f"{name}_{end}": 0.1 for name in VALUES for end in ("mean", "std", "low", "high")}
    values |= {f"{name}_seeds": 2 for name in VALUES}
    values |= dict.fromkeys(("retrained", "retrained_low", "retrained_high"), 0.02)
    rows = [
        values
        | {"section": f"trec, minilm: {rule}", "rule": rule, "variant": stream, "seeds": 2, "alpha_mean": alpha}
        | {"verdict": ALL if counts else NONE, "known": "zero", "shows": "zero" if counts else None}
        for rule, streams in {
            "dm": (("meaning", 1.0, True), ("phonetic", -0.1, False), ("phonetic+morphological", 9.0, True)),
            "dm_equal": (("meaning", 0.6, False), ("phonetic", -0.5, True)),
            "dm_nudged": (("meaning", 0.6, True), ("phonetic", 0.5, True)),
            "li": (("meaning", np.nan, False), ("phonetic", np.nan, True)),
        }.items()
        for stream, alpha, counts in streams
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    text = importance(tmp_path / "table.csv")
    assert text.endswith(
        "In 2 models with α one stream counts by every measure and the others by none. It has the largest |α| in 1 of "
        "them, and in 1 of these it is the backbone's own stream. Not so in trec, minilm: dm_equal, where phonetic "
        "counts and α is meaning 0.60, phonetic −0.50."
    )


def test_the_overview_names_the_best_other_fusion_and_marks_it(tmp_path):
    rows = [
        {
            "section": "a", "variant": name, "seeds": seeds, "score": "accuracy %", "scale": 100, "score_mean": mean,
            "score_std": 0.01, "mark": mark,
        }
        for name, seeds, mean, mark in (
            ("reference", 3, 0.5, "worse"), ("concat", 3, 0.6, "level"), ("gmu", 2, 0.61, "level"),
            ("dm", 3, 0.7, "best"),
        )
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    expected = "| a | accuracy % | 2 to 3 | 50.00 ± 1.00 | — | gmu: *61.00 ± 1.00* | **70.00 ± 1.00** | — |"
    assert expected in overview(tmp_path / "table.csv")


def test_agreement_with_the_swapped_picture_is_shown_from_seed_to_seed(tmp_path):
    text = """variant,seed,change,words,spearman
dm,0,swapped,9,-0.3
dm,1,swapped,9,0.105
dm,0,blank,9,0.9
li,0,swapped,9,0.4
"""
    (tmp_path / "scenes-agreement.csv").write_text(text, encoding="utf-8")
    assert "| scenes | −0.30 to +0.10 (2) | +0.40 (1) |" in pictures(tmp_path)


@pytest.mark.parametrize(("p", "said"), [(0.01, "planted a: dm_equal, li, dm_nudged."), (0.2, "planted a: none.")])
def test_starts_are_compared_where_both_were_trained(tmp_path, p, said):
    sections = {"planted a": ("meaning", "dm", "dm_equal", "li", "dm_nudged"), "planted b": ("meaning", "dm", "li")}
    numbers = {"accuracy_std": 0.01, "macro_f1_mean": 0.5, "macro_f1_std": 0.1, "difference_p": p}
    numbers |= dict.fromkeys(
        ("parameters", "parameters_added", "parameters_ratio", "flops_per_token", "step_time_ms"), 1.0
    )
    rows = [
        numbers | {"section": section, "variant": name, "seeds": 3, "accuracy_mean": accuracy, "mark": "",
                   "difference": accuracy - 0.6, "difference_low": 0.0, "difference_high": 0.5, "difference_p_holm": p}
        for section, names in sections.items()
        for name, accuracy in zip(names, (0.6, 0.59, 0.98, 0.99, 0.97), strict=False)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    text = starts(tmp_path / "table.csv")
    assert "| planted a | 3 | 60.00 ± 1.00 | 59.00 ± 1.00 | 98.00 ± 1.00 | 99.00 ± 1.00 | 97.00 ± 1.00 | — |" in text
    assert "planted b" not in text
    assert said in text  # dm is below the backbone, whatever its p
    assert starts(tmp_path / "none.csv") == "No finished run yet."
