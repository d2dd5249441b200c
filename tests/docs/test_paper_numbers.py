"""The numbers of the paper: each is a cell of a table or follows from its cells, and names the row it comes from."""

import pytest

from common import variants
from paper.numbers.__main__ import main
from paper.numbers.macro import document
from paper.numbers.macros import macros
from paper.numbers.pictures import picture_macros
from paper.numbers.planted import EQUAL, MEASURES
from paper.numbers.sections import verdict
from results.kinds import CONTROLS, KINDS, MATCHED, SHARES, STUDIED, group_of
from results.table5_alpha_validity import configs as vectors
from results.table_rows import Row, tables
from step3_gpt import config as gpt


def test_names_are_those_of_the_study():
    assert STUDIED == variants.STUDIED
    assert (*variants.CONTROLS[1:], "swapped") == CONTROLS
    assert tuple(gpt.MATCHED) == MATCHED
    assert tuple(vectors.MEASURES) == tuple(MEASURES) and vectors.EQUAL == EQUAL


NUMBERS = (
    "accuracy_mean,accuracy_std,difference,difference_low,difference_high,difference_p,difference_p_holm,parameters"
)
TOY = f"""section,variant,seeds,{NUMBERS},records
"toy, tiny_bert",meaning,3,0.5,0.01,,,,,,1e6,a
"toy, tiny_bert",shuffled,3,0.51,0.01,0.01,-0.02,0.04,0.5,1,1.1e6,b
"toy, tiny_bert",dm,3,0.55,0.02,0.05,0.03,0.07,0.0001,0.0004,1.1e6,c
"toy, tiny_bert",li,3,0.45,0.02,-0.05,-0.07,-0.03,0.001,0.004,1.2e6,d
"toy, tiny_bert",gmu,1,0.6,,0.1,0.09,0.11,0.0001,0.0004,1.2e6,e
"""


@pytest.fixture
def toy(tmp_path):
    for table, text in {"table1_sentiment": TOY, "table2_mlm": TOY}.items():
        (tmp_path / table).mkdir()
        (tmp_path / table / "table.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_numbers_of_a_toy_table(toy):
    made = macros(tables(toy))
    known = {macro.key: macro.value for macro in made}
    row = "table1_sentiment/toy, tiny_bert/dm"
    assert known[f"{row}/accuracy_mean"] == "55.00"
    assert known[f"{row}/interval"] == "+5.00 [+3.00, +7.00]"
    assert known["table1_sentiment/toy, tiny_bert/li/interval"] == "$-$5.00 [$-$7.00, $-$3.00]"
    assert known[f"{row}/difference_p_holm"] == r"\textless{}0.001"
    assert known[f"{row}/minus_shuffled"] == "+4.00" and known[f"{row}/ahead_of_controls"] is True
    assert known[f"{row}/parameters"] == "1.10" and known[f"{row}/outcome"] == "better"
    assert known["table1_sentiment/toy, tiny_bert/gmu/accuracy_std"] == "---"
    assert known["table1_sentiment/toy, tiny_bert/gmu/single"] is True
    assert f"{row}/records" not in known
    # In nats per token less is better.
    assert known["table2_mlm/toy, tiny_bert/dm/outcome"] == "worse"
    assert known["table2_mlm/toy, tiny_bert/dm/interval"] == "+0.050 [+0.030, +0.070]"
    assert known["table2_mlm/toy, tiny_bert/dm/ahead_of_controls"] is False
    assert [known[f"study/studied/{name}"] for name in ("compared", "better", "worse")] == ["4", "2", "2"]
    assert known["study/others/single"] == "2" and known["study/controls/any_better"] is False
    dm = next(macro for macro in made if macro.key == f"{row}/accuracy_mean")
    assert dm.source == ("results/table1_sentiment/table.csv, line 4: toy, tiny_bert | dm | accuracy_mean = 0.55")


def test_a_wider_correction_leaves_fewer_gains(toy):
    for table in ("table1_sentiment", "table2_mlm"):
        path = toy / table / "table.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("0.001,0.004", "0.015,0.03"), encoding="utf-8")
    known = {macro.key: macro.value for macro in macros(tables(toy))}
    assert known["study/all/compared"] == "6"  # without the row of one seed
    left = [known[f"study/studied/{name}"] for name in ("better", "better_by_table", "better_overall")]
    assert left == ["2", "2", "1"]  # 0.015 times 2, then times 4


def test_an_outcome_ends_a_sentence(toy):
    known = {macro.key: macro.value for macro in macros(tables(toy))}
    rows = ("table1_sentiment/toy, tiny_bert/dm", "table2_mlm/toy, tiny_bert/dm", "table2_mlm/toy, tiny_bert/shuffled")
    assert [known[f"{row}/said"] for row in rows] == [
        "shown to help", "shown to harm", "not shown to help, and behind in the mean",
    ]  # fmt: skip
    assert known["table1_sentiment/toy, tiny_bert/shuffled/said"].endswith("ahead in the mean")


def test_groups_of_rows():
    grouped = {
        "studied": ("dm", "li_soma", "dm_equal_b", "dm_nudged", "li_pooled", "dm_dropout"),
        "controls": ("shuffled", "duplicate_b", "dm_linear_shuffled_b", "dm_linear_swapped", "dm_linear[meaning]_b"),
        "matched": ("meaning_flops", "no_image"),
        "subsets": ("dm[phonetic]", "li[meaning+phonetic]"),
        "others": ("gmu", "cross_attention", "prefix_mlp"),
    }
    assert {name: group_of(name) for names in grouped.values() for name in names} == {
        name: group for group, names in grouped.items() for name in names
    }


def test_a_rule_is_compared_with_itself_on_shuffled_streams(tmp_path):
    (tmp_path / "table3_gpt").mkdir()
    (tmp_path / "table3_gpt" / "table.csv").write_text(
        "section,variant,seeds,difference,difference_low,difference_high,difference_seeds,difference_p_holm,told,told_low,told_high\n"
        "toy,meaning,3,,,,,,,,\n"
        "toy,shuffled_b,3,-0.1,-0.2,0.1,3,0.5,,,\n"
        "toy,dm_linear_shuffled_b,3,-0.5,-0.6,-0.4,3,0.001,,,\n"
        "toy,dm_b,3,-0.3,-0.4,-0.2,3,0.001,-0.2,-0.3,-0.1\n"
        "toy,dm_linear_b,3,-0.4,-0.5,-0.3,1,0.001,0.1,-0.1,0.2\n",
        encoding="utf-8",
    )
    known = {macro.key.removeprefix("table3_gpt/toy/"): macro.value for macro in macros(tables(tmp_path))}
    assert known["dm_b/minus_shuffled"] == "$-$0.200" and known["dm_linear_b/minus_shuffled"] == "+0.100"
    assert known["dm_b/ahead_of_controls"] is True and known["dm_linear_b/ahead_of_controls"] is False
    assert known["dm_b/better"] is True
    assert known["dm_linear_b/single"] is True  # one seed is all that it shares with meaning
    assert known["dm_b/told_interval"] == "$-$0.200 [$-$0.300, $-$0.100]" and known["study/controls/better"] == "1"


def test_a_verdict_says_what_the_records_say(toy):
    rows = tables(toy)["table1_sentiment"]
    assert verdict({"toy, tiny_bert": rows}) == (
        r"On \emph{toy, tiny\_bert} (1 to 3 seeds per row), after Holm's correction \texttt{dm} is better than the "
        r"backbone alone, \texttt{li} is worse than it and 1 of 3 rows with two or more seeds cannot be told from it; "
        r"\texttt{gmu} had one seed, which says nothing about training anew."
    )
    none = [Row(row.table, row.line, {**row.cells, "difference_p_holm": 1.0}) for row in rows if row.variant != "gmu"]
    assert "none of the 3 rows can be told from the backbone alone" in verdict({"toy": none})
    assert verdict({"toy": rows[:1]}) == ""
    several = verdict({"a": none, "b": rows[:1], "c": none, "d": rows})
    assert several.startswith(r"On \emph{a} and \emph{c} (") and several.count("none of the 3 rows") == 1
    assert several.count("On ") == 2


def test_every_macro_has_the_row_it_comes_from(toy, tmp_path):
    assert main(["--results", str(toy), "--out", str(tmp_path / "numbers.tex")]) == 0
    lines = (tmp_path / "numbers.tex").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) % 2 == 0
    for comment, line in zip(lines[::2], lines[1::2], strict=True):
        assert comment.startswith(("% results/table", "% all compared rows of table"))
        assert line.startswith((r"\resultis{", r"\flagis{"))


def test_planted_vectors_against_equal_shares(tmp_path):
    (tmp_path / "table5_alpha_validity").mkdir()
    (tmp_path / "table5_alpha_validity" / "table.csv").write_text(
        "variant,seeds,alpha_mean,alpha_std,contribution_mean,shapley_mean,section\n"
        'dm,5,0.3,0.1,0.2,0.9,"rank correlation, all settings"\n'
        'equal shares,0,0.1,,,,"rank correlation, all settings"\n'
        'dm,5,0.3,0.01,0.1,0.05,"calibration error, all settings"\n'
        'dm_near,5,0.19,0.02,0.1,0.05,"calibration error, all settings"\n'
        'dm_clear,5,0.15,0.02,0.1,0.05,"calibration error, all settings"\n'
        'equal shares,0,0.2,,,,"calibration error, all settings"\n',
        encoding="utf-8",
    )
    known = {macro.key: macro.value for macro in macros(tables(tmp_path))}
    error = "table5_alpha_validity/calibration error, all settings/dm"
    assert known["table5_alpha_validity/rank correlation, all settings/dm/best"] == "the Shapley value"
    assert known[f"{error}/best"] == "the Shapley value"
    assert known[f"{error}/beats_equal_alpha"] is False and known[f"{error}/beats_equal_contribution"] is True
    counted = (
        known[f"{error.removesuffix('dm')}section/alpha_{name}"] for name in ("rows", "beats_equal", "least_error")
    )
    assert list(counted) == ["3", "1", "0.15"]


def test_no_table_is_an_error(tmp_path, capsys):
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "numbers.tex")]) == 2
    assert "python -m results make" in capsys.readouterr().err


def test_keys_are_unique_and_tables_known():
    assert document(macros(tables()))
    assert {"table1_sentiment", "table2_mlm", "table3_gpt"} <= set(tables()) & set(KINDS)


def test_pictures_have_their_loss_and_agreement(tmp_path):
    folder = tmp_path / "figure_vision_language"
    folder.mkdir()
    (folder / "toy-evidence.csv").write_text(
        "variant,measure,group,samples,mean,low,high\n"
        "dm,contribution_vision,colour,30,0.225,0.2,0.3\ndm,gain_swapped,colour,30,-1.5,-2,-1\n"
        "dm,accuracy_lost_blank,number,30,4.04,1,7\n",
        encoding="utf-8",
    )
    (folder / "toy-agreement.csv").write_text(
        "variant,seed,change,words,spearman\ndm,0,swapped,9,-0.1\nli,0,swapped,9,0.4\ndm,1,swapped,9,0.3\n",
        encoding="utf-8",
    )
    made = picture_macros(tmp_path)
    known = {macro.key.removeprefix("figure_vision_language/toy/"): macro.value for macro in made}
    assert known["dm/contribution_vision/colour"] == "0.23" and known["dm/gain_swapped/colour"] == "$-$1.50"
    assert known["dm/accuracy_lost_blank/number"] == "+4.0"
    assert known["dm/agreement/swapped"] == "$-$0.10 to +0.30" and known["li/agreement/swapped"] == "+0.40"
    assert known["dm/agrees/swapped"] is False and known["li/agrees/swapped"] is True
    assert "toy-agreement.csv, lines 2, 4" in next(m.source for m in made if m.key.endswith("dm/agrees/swapped"))


def test_rows_are_compared_with_todays_fusion_too(tmp_path):
    folder = tmp_path / "table4_vision_language" / "captions"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text(
        "section,variant,seeds,difference,difference_low,difference_high,difference_p_holm,today,today_low,today_high,"
        "today_p_holm\ntoy,no_image,2,,,,,,,,\ntoy,projector,2,0.1,0,0.2,0.01,,,,\n"
        "toy,dm,2,0.3,0.2,0.4,0.01,0.2,0.1,0.3,0.01\ntoy,li,1,0.3,0.2,0.4,0.01,0.2,0.1,0.3,0.01\n",
        encoding="utf-8",
    )
    known = {macro.key: macro.value for macro in macros(tables(tmp_path))}
    row = "table4_vision_language/captions/toy"
    assert known[f"{row}/dm/today_interval"] == "+20.00 [+10.00, +30.00]"
    assert known[f"{row}/dm/today_better"] is True and known[f"{row}/li/today_single"] is True
    assert f"{row}/projector/today_interval" not in known
    counted = ("today_compared", "today_better", "today_worse", "better_by_a_picture")
    assert [known[f"study/studied/{name}"] for name in counted] == ["1", "1", "0", "1"]
    assert known["study/others/better_by_a_picture"] == "1" and known["study/studied/any_today_worse"] is False


DIFFERENCES = ",".join(
    f"{name}{end}" for name in ("difference", "to_random") for end in ("", "_low", "_high", "_p_holm")
)
TRANSFER = f"""section,variant,seeds,{DIFFERENCES},scale,digits,records
there,reference,3,-0.03,-0.04,-0.02,0.01,,,,,100.0,2,d
there,learnt,3,,,,,,,,,100.0,2,a
there,transfer,3,-0.02,-0.03,-0.01,0.01,0.01,-0.01,0.03,0.4,100.0,2,b
there,equal,1,-0.02,-0.03,-0.01,0.01,0.01,0.005,0.02,0.01,100.0,2,c
"""
SPARED = """section,variant,seeds,spared,spared_low,spared_high,records
"sst5, typos, 10 %",meaning,3,,,,a
"sst5, typos, 10 %",dm,3,0.02,0.01,0.03,b
"sst5, typos, 30 %",dm,3,-0.02,-0.03,-0.01,b
"sst5, homophones, 10 %",dm,3,0.01,-0.01,0.03,b
"""


def test_weights_of_another_domain_are_judged_against_those_learnt_and_random_ones(tmp_path):
    (tmp_path / "table7_transfer").mkdir()
    (tmp_path / "table7_transfer" / "table.csv").write_text(TRANSFER, encoding="utf-8")
    known = {macro.key.removeprefix("table7_transfer/there/"): macro.value for macro in macros(tables(tmp_path))}
    assert known["transfer/learnt_interval"] == "$-$2.00 [$-$3.00, $-$1.00]"
    assert known["transfer/below_learnt"] is True and known["transfer/above_learnt"] is False
    assert known["transfer/above_random"] is False and known["transfer/below_random"] is False
    assert known["equal/below_learnt"] is False, "one seed says nothing, whatever its p"
    assert known["transfer/ahead_of_reference"] is True and "reference/ahead_of_reference" not in known
    assert known["transfer/few"] is False and known["equal/few"] is True


def test_spared_rows_are_counted_over_all_sections(tmp_path):
    (tmp_path / "table8_robustness").mkdir()
    (tmp_path / "table8_robustness" / "table.csv").write_text(SPARED, encoding="utf-8")
    known = {macro.key.removeprefix("table8_robustness/"): macro.value for macro in macros(tables(tmp_path))}
    assert [known[f"all/dm/{name}"] for name in ("compared", "spared", "hurt", "seeds")] == ["3", "1", "1", "3"]
    assert known["sst5, typos, 10 %/dm/spared_interval"] == "+2.00 [+1.00, +3.00]"
    assert "all/meaning/compared" not in known and known["all/dm/single"] is False
    assert known["sst5, typos, 10 %/dm/seeds"] == "3"
    assert "sst5, typos, 10 %/dm/spared" not in known, "a raw cell of this table is no number that it shows"


def test_a_table_without_runs_is_as_one_that_is_not_there(tmp_path):
    (tmp_path / "table8_robustness").mkdir()
    (tmp_path / "table8_robustness" / "table.csv").write_text("section,variant,seeds\nsst5,dm,0\n", encoding="utf-8")
    assert not any(macro.key.startswith("table8") for macro in macros(tables(tmp_path)))


def test_rows_on_a_share_of_the_data_are_compared_within_the_share(tmp_path):
    text = """section,variant,fraction,seeds,difference_seeds,difference,difference_low,difference_high,\
difference_p_holm,records
trec,meaning,0.1,3,0,,,,,a
trec,dm,0.1,3,3,0.02,0.01,0.03,0.01,b
trec,meaning,1.0,3,0,,,,,c
trec,dm,1.0,3,3,0.02,-0.01,0.03,0.2,d
"""
    (tmp_path / SHARES).mkdir(parents=True)
    (tmp_path / SHARES / "table.csv").write_text(text, encoding="utf-8")
    known = {macro.key: macro.value for macro in macros(tables(tmp_path))}
    first, second = known[f"{SHARES}/table/verdict"].split(". ")
    assert first.startswith(r"On \emph{trec, 10 \% of the data} (3 seeds") and "is better than the backbone" in first
    assert second.startswith(r"On \emph{trec, 100 \% of the data} (3 seeds") and "none of the 1 rows can be" in second
    assert not any(key.startswith("study/") and value not in ("0", "none", False) for key, value in known.items())


def test_streams_are_counted_by_what_shows_that_they_count(tmp_path):
    text = """section,variant,alpha_mean,alpha_low,alpha_high,retrained,retrained_low,retrained_high,shows,known
trec: dm,meaning,1.0,0.9,1.1,0.2,0.1,0.3,zero retrained,zero retrained
trec: dm,phonetic,0.1,-0.1,0.3,0.01,-0.01,0.03,,zero retrained
trec: li,phonetic,,,,,,,zero,zero mean
trec: li,morphological,,,,,,,,
trec: dm,phonetic+morphological,,,,0.01,-0.01,0.03,,retrained
"""
    (tmp_path / "table9_importance").mkdir()
    (tmp_path / "table9_importance" / "table.csv").write_text(text, encoding="utf-8")
    known = {macro.key.removeprefix("table9_importance/"): macro.value for macro in macros(tables(tmp_path))}
    assert [known[f"all/secondary/{name}"] for name in ("judged", "all", "some", "none")] == ["2", "0", "1", "1"]
    assert [known[f"all/reference/{name}"] for name in ("judged", "all")] == ["1", "1"]
    assert known["trec: dm/phonetic/alpha_interval"] == "+0.100 [$-$0.100, +0.300]"
    assert known["trec: dm/phonetic/retrained_interval"] == "+1.00 [$-$1.00, +3.00]"
    assert "trec: li/phonetic/alpha_interval" not in known
    assert known["trec: dm/meaning/alpha_largest"] is True and known["trec: dm/phonetic/alpha_largest"] is False


def test_best_rows_and_those_level_with_them_are_named(tmp_path):
    text = """section,variant,seeds,mark
a,dm,2,best
a,li_soma,2,level
a,gmu,2,worse
b,dm,2,best
b,li,2,worse
c,dm,2,
"""
    (tmp_path / "table1_sentiment").mkdir()
    (tmp_path / "table1_sentiment" / "table.csv").write_text(text, encoding="utf-8")
    known = {macro.key.removeprefix("table1_sentiment/"): macro.value for macro in macros(tables(tmp_path))}
    assert known["a/section/best"] == r"\texttt{dm}" and known["a/section/level"] == r"\texttt{li\_soma}"
    assert known["b/section/level"] == "none" and "c/section/best" not in known and "c/section/level" not in known
