"""What the README says of tables 6 to 8 follows their numbers, in either direction."""

import pandas as pd
import pytest

from results.answers import NOTHING, robustness, transfer, universality


def _overall(folder, ranks):
    """`ranks` by domain: variant -> rank."""
    domains = [
        {"section": section, "variant": name, "rank": rank}
        for section, of in ranks.items()
        for name, rank in of.items()
    ]
    (folder / "overall").mkdir(parents=True)
    pd.DataFrame(domains).to_csv(folder / "table.csv", index=False)
    row = dict.fromkeys(
        ("rank", "rank_low", "rank_high", "rank_dm", "first", "in_errors", "iqm", "iqm_low", "iqm_high", "iqm_dm"), 1.5
    )
    counts = {"single": 0, "iqm_domains": 4, "beats": 1, "tested": 3}
    overall = [row | counts | {"variant": name, "domains": n} for name, n in (("dm", 4), ("li", 4), ("gmu", 3))]
    pd.DataFrame(overall).to_csv(folder / "overall" / "table.csv", index=False)
    return folder


def test_the_rule_with_most_first_ranks_is_named(tmp_path):
    first, second = {"dm": 1.0, "li": 2.0}, {"dm": 2.0, "li": 1.0}
    text = universality(_overall(tmp_path / "some", {"a": first, "b": second, "c": second}))
    assert "No rule is best everywhere; li has the highest score in 2 of 3 domains." in text
    assert "dm in 1 of 3; li in 1 of 3." in text and "gmu" not in text  # too few domains
    every = universality(_overall(tmp_path / "all", {"a": first, "b": first}))
    assert "No rule" not in every and "dm has the highest score in 2 of 2 domains." in every


def _directions(path, gap, p):
    scored = {"section": "text to pictures: x", "score_mean": 0.5, "score_std": 0.1, "score_scale": 100, "scale": 100}
    comparisons = {
        f"{column}{end}": value
        for column in ("difference", "to_random")
        for end, value in (("", gap), ("_low", gap - 0.1), ("_high", gap + 0.1), ("_p_holm", p))
    }
    rows = [scored | comparisons | {"score_digits": 1, "digits": 2, "variant": name} for name in ("learnt", "transfer")]
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
    assert "| text to pictures: x | — | 50.0 ± 10.0 | 50.0 ± 10.0 | — | — |" in text


@pytest.mark.parametrize(
    ("p", "said"), [(0.5, "noisy texts: none."), (0.01, "noisy texts: dm on trec: typos, 30 %; li")]
)
def test_noise_that_differs_is_named(tmp_path, p, said):
    rows = [
        {
            "section": f"trec: typos, {100 * rate:.0f} %", "setting": "trec", "kind": "typo", "rate": rate,
            "variant": name, "seeds": 2, "clean_mean": 0.9, "accuracy_mean": 0.9 - rate, "accuracy_std": 0.01,
            "p_holm": p if name != "meaning" and rate == 0.3 else None,
        }
        for rate in (0.1, 0.3)
        for name in ("meaning", "dm", "li")
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    text = robustness(tmp_path / "table.csv")
    assert "| trec: typos | 30 % | 90.00 | 60.00 ± 1.00 | 60.00 ± 1.00 | 60.00 ± 1.00 |" in text
    assert said in text and "of 2 comparisons" in text


def test_without_runs_nothing_is_claimed(tmp_path):
    assert {universality(tmp_path), transfer(tmp_path / "table.csv"), robustness(tmp_path / "table.csv")} == {NOTHING}
