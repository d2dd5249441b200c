"""What the README says first follows the numbers of the tables, in either direction."""

import pandas as pd
import pytest

from results.in_short import in_short


def _table(folder, name, rows):
    (folder / name).mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / name / "table.csv", index=False)


def _row(section, variant, difference, p, seeds=3, **cells):
    return {
        "section": section,
        "variant": variant,
        "seeds": seeds,
        "difference": difference,
        "difference_p_holm": p,
        **cells,
    }


def _captions(today, p):
    compared = {"difference_p_holm": 0.01, "today": today, "today_p_holm": p}
    return [{"section": "flickr8k, captions, vit, gpt2", "variant": "dm", "seeds": 3, "difference": 0.2, **compared}]


def test_outcomes_are_counted_with_their_settings(tmp_path):
    _table(tmp_path, "table1_sentiment", [
        _row("sst5, minilm", "dm", 0.01, 0.5), _row("trec, minilm", "dm", -0.02, 0.01),
        _row("trec, minilm", "li", 0.3, 0.001, seeds=1), _row("trec, minilm", "gmu", 0.3, 0.001),
    ])  # fmt: skip
    _table(tmp_path, "table2_mlm", [_row("wikipedia_en, minilm", "dm_linear", -0.1, 0.01)])  # nats: less is better
    _table(tmp_path, "table3_gpt", [_row("books, scratch", "dm_a", -0.1, 0.01), _row("books, scratch", "dm_b", 0.1, 1)])
    _table(tmp_path, "table4_vision_language/captions", _captions(-0.1, 0.01))
    (text,) = (line for line in in_short(tmp_path).splitlines() if "backbone alone" in line)
    assert text == (
        "- Against the backbone alone (for pictures: the language model without them): `dm` better in 2 of 5 "
        "(causal LM: books a; flickr8k captions), worse in 1 of 5 "
        "(trec), behind in the mean in 2; `dm_linear` better in 1 of 1 (masked LM: wikipedia_en), worse in none of 1, "
        "behind in the mean in none."
    )


@pytest.mark.parametrize(
    ("gap", "p", "said"),
    [
        (0.1, 0.01, "better in 1 of 1 (flickr8k captions), worse in none of 1, behind in the mean in none"),
        (-0.1, 0.01, "better in none of 1, worse in 1 of 1 (flickr8k captions), behind in the mean in 1"),
        (-0.1, 0.2, "better in none of 1, worse in none of 1, behind in the mean in 1"),
    ],
)
def test_todays_fusion_is_judged_by_sign_and_p(tmp_path, gap, p, said):
    _table(tmp_path, "table4_vision_language/captions", _captions(gap, p))
    (line,) = (line for line in in_short(tmp_path).splitlines() if "projector" in line)
    assert line.endswith(f"`dm` {said}.")


def test_the_control_and_alpha_have_their_lines(tmp_path):
    assert in_short(tmp_path) == "No finished run yet."
    shown = {"variant": "dm", "seeds": 3, "control_seeds": 3, "difference": 0.1, "control": 0.1}
    _table(tmp_path, "table6_universality", [
        {"section": "masked LM: books, minilm", "beats": "not shown", **shown, "control": -0.1},
        {"section": "causal LM b: books, scratch", "beats": "yes", **shown},
        {"section": "causal LM a: books, scratch", "beats": "yes", **shown, "control_seeds": 1},
    ])  # fmt: skip
    _table(tmp_path, "table5_alpha_validity", [
        {"section": f"{statistic}, all settings", "variant": name, "seeds": 5, "alpha_mean": alpha,
         "leave_one_out_mean": left}
        for statistic, name, alpha, left in (
            ("rank correlation", "dm", 0.41, 0.9), ("rank correlation", "equal shares", 0.25, float("nan")),
            ("calibration error", "dm", 0.22, 0.1), ("calibration error", "equal shares", 0.18, float("nan")),
        )
    ])  # fmt: skip
    control, alpha = in_short(tmp_path).splitlines()
    assert control.endswith("`dm` better in 1 of 2 (causal LM b: books), worse in none of 2, behind in the mean in 1.")
    assert "is 0.41 under `dm`; to call all streams equal has 0.25, to leave a stream out 0.90." in alpha
    assert alpha.endswith("|α| is off by 0.22 in the mean, the guess that all are equal by 0.18.")
