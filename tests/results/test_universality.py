"""Table 6: planted orders of rules come back, whatever else is among the records."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from common.evaluation.statistics import multi_bootstrap
from results.__main__ import main
from results.reader import RecordError, load_runs
from results.table6_universality.concordance import concordance, kendall_w
from results.table6_universality.configs import RULES, rule_of
from results.table6_universality.domains import Domain, domains
from results.table6_universality.make import DOMAIN_COLUMNS, make
from results.table6_universality.notes import domain_note, overall_note
from results.table6_universality.overall import overall_frame
from results.table6_universality.resampling import gains, ranks, wins
from results.table6_universality.rows import judge

ORDER = ("reference", "shuffled", "concat", "li", "dm")
"""From the worst to the best."""


def domain(title, gain, seeds=3, examples=400, noise=0.05, **others):
    """A domain whose rules gain this much; the same examples are hard for all."""
    base = np.random.default_rng(len(title)).random(examples)
    scores = {
        rule: {
            seed: base + value + np.random.default_rng([seed, RULES.index(rule)]).normal(0, noise, examples)
            for seed in range(seeds)
        }
        for rule, value in gain.items()
    }
    return Domain(title, "score", 1.0, "examples", scores, **others)


def spaced(order):
    return {rule: 0.1 * k for k, rule in enumerate(order)}


@pytest.fixture(scope="module")
def agreeing():
    return [judge(domain(title, spaced(ORDER))) for title in ("one", "three", "seventh")]


def test_the_best_rule_everywhere_is_first_everywhere(agreeing):
    frame = overall_frame(agreeing).set_index("variant")
    best = frame.loc["dm"]
    assert best["rank"] == best["rank_low"] == best["rank_high"] == best["first"] == best["iqm"] == 1
    assert frame["first"].sum() == 1 and list(frame.sort_values("rank").index) == list(reversed(ORDER))
    found = concordance(agreeing)
    assert found is not None and found.w == pytest.approx(1) and found.p < 0.01 and len(found.domains) == 3
    assert (frame.loc[["dm", "li", "concat"], "beats"] == 3).all() and (frame.loc["dm", "tested"] == 3)
    assert np.isnan(frame.loc["reference", "in_errors"]) and frame.loc["shuffled", "tested"] == 0


def test_a_rule_is_held_against_itself_on_shuffled_streams():
    """Ahead of DM on shuffled streams it may be by its matrices alone; without such runs DM's have to do."""
    gain = {"reference": 0.0, "shuffled": 0.0, "dm_linear_shuffled": 0.3, "dm": 0.2, "dm_linear": 0.3, "li": 0.3}
    frame = judge(domain("one", gain)).frame.set_index("variant")
    assert frame.loc[["dm", "dm_linear", "li"], "beats"].to_list() == ["yes", "not shown", "yes"]
    assert frame.loc["dm_linear_shuffled", "beats"] == "" and abs(frame.loc["dm_linear", "control"]) < 0.02
    without = judge(domain("one", {rule: value for rule, value in gain.items() if rule != "dm_linear_shuffled"}))
    assert without.row("dm_linear")["beats"] == "yes"


def test_reversed_orders_do_not_agree():
    judged = [judge(domain(*each)) for each in (("one", spaced(ORDER)), ("three", spaced(ORDER[::-1])))]
    found = concordance(judged)
    assert found is not None and found.w == pytest.approx(0, abs=1e-12) and found.p == 1
    assert set(overall_frame(judged)["rank"]) == {3.0}


def test_w_is_that_of_a_textbook_and_knows_ties():
    """Siegel (1956), chapter 9: six applicants, three judges."""
    ranked = np.array([[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1.0]])
    assert kendall_w(ranked)[0] == pytest.approx(0.16, abs=0.005)
    tied = np.array([[1.5, 1.5, 3], [1.5, 1.5, 3]])
    assert kendall_w(tied)[0] == pytest.approx(1)
    assert all(np.isnan(kendall_w(np.full((2, 3), 2.0))))


def test_the_reference_is_zero_and_the_best_one(agreeing):
    frame = agreeing[0].frame.set_index("variant")
    assert (frame.loc["reference", ["normalised", "normalised_low", "normalised_high"]] == 0).all()
    assert frame.loc["dm", "normalised"] == 1 and frame["normalised"].max() == 1
    assert frame.loc["li", "normalised"] == pytest.approx(0.75, abs=0.05)


def test_without_a_gain_nothing_is_normalised_and_the_gain_is_still_there():
    judged = judge(domain("one", {"reference": 0.2, "dm": 0.1, "li": 0.0}))
    frame = judged.frame.set_index("variant")
    assert frame["normalised"].isna().all() and not judged.normalised
    assert frame.loc["dm", "in_errors"] < -2 and frame.loc["reference", "rank"] == 1


def test_a_lead_by_luck_is_no_unit_and_is_not_counted_as_told_apart():
    gain = {"reference": 0.0, "shuffled": 0.0, "li": 0.0, "dm": 0.0}
    luck, real = judge(domain("one", gain)), judge(domain("three", {**gain, "dm": 0.3}))
    assert (luck.told_apart, luck.better, real.told_apart, real.better) == (False, [], True, ["dm"])
    assert luck.frame["difference"].max() > 0 and luck.frame["normalised"].isna().all()
    assert "In 1 of them the rules are told apart" in (note := overall_note([luck, real], overall_frame([luck, real])))
    assert "the largest gain is had by: dm in 1." in note and "1 of 2 domains have such scores" in note
    assert "Shown to be better than reference (p Holm over the domain): dm." in domain_note(real)
    without = judge(domain("five", {"shuffled": 0.0, "dm": 0.3, "li": 0.3}))  # there is no reference: DM stands for it
    assert without.told_apart and without.better == [] and without.frame["normalised"].isna().all()


def test_draws_are_those_of_the_multi_bootstrap():
    one = domain("one", spaced(ORDER), noise=0.5)
    drawn = gains(one)
    best, reference = (np.stack(list(one.scores[rule].values())) for rule in ("dm", "reference"))
    known = multi_bootstrap(best, reference)
    mine = drawn.replicates[:, drawn.rules.index("dm")]
    assert drawn.estimates[drawn.rules.index("dm")] == pytest.approx(known.estimate)
    assert mine.std(ddof=1) == pytest.approx(known.standard_error, rel=0.1)
    assert np.quantile(mine, [0.025, 0.975]) == pytest.approx([known.low, known.high], abs=known.standard_error / 4)


def test_missing_rules_and_seeds_do_not_shift_others():
    full = domain("one", spaced(ORDER), noise=1.0)
    fewer = replace(full, scores={rule: full.scores[rule] for rule in ("dm", "reference", "shuffled")})
    halved = replace(full, scores={**full.scores, "li": {0: full.scores["li"][0]}, "concat": {9: full.scores["li"][0]}})
    columns = ["difference", "difference_low", "difference_high", "control_p"]
    expected = judge(full).frame.set_index("variant")
    for other in (fewer, halved):
        frame = judge(other).frame.set_index("variant")
        pd.testing.assert_frame_equal(frame.loc[["dm", "shuffled"], columns], expected.loc[["dm", "shuffled"], columns])
    assert frame.loc["li", "paired_seeds"] == 1 and "concat" not in frame.index  # a seed that the reference lacks


def test_a_gain_that_never_varies_has_no_standard_error():
    scores = {rule: {seed: np.full(9, value) for seed in range(3)} for rule, value in (("reference", 0.1), ("dm", 0.9))}
    frame = judge(Domain("one", "score", 1.0, "examples", scores)).frame.set_index("variant")
    assert np.isnan(frame.loc["dm", "in_errors"]) and frame.loc["dm", "normalised"] == 1


def test_rules_with_equal_scores_share_rank_and_win():
    scores = domain("one", {"reference": 0.0, "dm": 0.3}).scores
    one = Domain("one", "score", 1.0, "examples", {**scores, "li": scores["dm"]})
    frame = judge(one).frame.set_index("variant")
    assert (frame.loc[["dm", "li"], "rank"] == 1.5).all() and (frame.loc[["dm", "li"], "first"] == 0.5).all()
    assert ranks(np.array([0.3, 0.1 + 0.2, 0.0])).tolist() == [1.5, 1.5, 3]
    assert wins(np.array([[1.5, 1.5, 3], [1, 2, 3]])).tolist() == [[0.5, 0.5, 0], [1, 0, 0]]


def test_one_seed_is_no_evidence_over_domains():
    single = judge(domain("one", spaced(ORDER), seeds=1))
    assert single.frame.set_index("variant").loc["dm", "beats"] == "yes"
    frame = overall_frame([single, judge(domain("three", spaced(ORDER)))]).set_index("variant")
    assert (frame.loc["dm", ["domains", "single", "tested", "beats"]] == [2, 1, 1, 1]).all()


def test_only_domains_shared_with_dm_count():
    without = judge(domain("one", spaced(("reference", "gmu", "li"))))
    both = [judge(domain(title, spaced(ORDER))) for title in ("three", "seventh")]
    frame = overall_frame([without, *both]).set_index("variant")
    assert frame.loc["li", "domains"] == 2 and "gmu" not in frame.index
    pd.testing.assert_frame_equal(frame, overall_frame(both).set_index("variant"))


def test_domains_of_one_setting_are_drawn_alike():
    gain = spaced(ORDER)
    one, other = (domain("same size", gain, noise=1.0, setting="s") for _ in range(2))
    np.testing.assert_array_equal(gains(one).replicates, gains(replace(other, title="b")).replicates)
    assert not np.array_equal(gains(one).replicates, gains(replace(other, setting="")).replicates)


def test_names():
    assert rule_of("no_image") == rule_of("meaning", "a") == rule_of("meaning", "b") == "reference"
    assert rule_of("meaning_params", "b") == "reference_params" and rule_of("meaning_params", "a") is None
    assert rule_of("dm_a", "a") == "dm" and rule_of("dm_a", "b") is None and rule_of("dm", "a") is None
    assert rule_of("dm_linear_shuffled_b", "b") == rule_of("dm_linear_swapped") == "dm_linear_shuffled"
    assert rule_of("li_swapped") == "li_shuffled" and rule_of("gmu_shuffled") is None
    assert rule_of("swapped") == "shuffled" and rule_of("dm[phonetic]") is None and rule_of("dm_dropout") is None


def vectors(root, name, seed, accuracies, settings=None):
    """A record of step alpha_validity with these accuracies on the planted settings."""
    folder = root / "alpha_validity" / f"{name}-{seed}"
    folder.mkdir(parents=True)
    config = {"name": name, "settings": settings, "train": {"seed": seed}}
    final = {"test_accuracy": float(np.mean(accuracies)), "settings": len(accuracies), "parameters": 9}
    for file, content in {
        "config": {"step": "alpha_validity", "name": name, "hash": "0", "config": config},
        "status": {"status": "finished"}, "final": final,
    }.items():  # fmt: skip
        (folder / f"{file}.json").write_text(json.dumps(content))
    rows = [(k, k, "test", "accuracy", value) for k, value in enumerate(accuracies, start=1)]
    frame = pd.DataFrame(rows, columns=["step", "epoch", "split", "metric", "value"])
    frame.to_csv(folder / "metrics.csv", index=False)


@pytest.fixture(scope="module")
def runs(records, tmp_path_factory):
    root = tmp_path_factory.mktemp("vectors")
    for seed in range(2):
        for name, right in (("dm", 0.8), ("li", 0.9), ("dm_equal", 0.99)):
            vectors(root, name, seed, right + np.linspace(-0.05, 0.05, 6) + 0.001 * seed)
    return [*load_runs(records), *load_runs(root)]


def test_domains_of_records(runs):
    found = {one.title: one for one in domains(runs)}
    assert list(found) == [
        "sentiment: planted, minilm", "sentiment: sst5, minilm", "sentiment: trec, minilm", "planted vectors"
    ]  # fmt: skip
    assert found["sentiment: sst5, minilm"].rules == (
        "reference", "duplicate", "shuffled", "concat", "late_ensemble", "dm", "dm_linear", "li"
    )  # fmt: skip
    of_vectors = found["planted vectors"]
    assert (of_vectors.rules, of_vectors.anchor, of_vectors.scores["dm"][0].shape) == (("dm", "li"), "dm", (6,))
    frame = judge(of_vectors).frame.set_index("variant")
    assert frame.loc["li", "difference"] == pytest.approx(0.1) and frame["normalised"].isna().all()


def test_scores_are_those_of_the_records(runs):
    sst5 = next(one for one in domains(runs) if "sst5" in one.title)
    trained = [run for run in runs if run.name == "dm" and run.config["step"] == "step1_sentiment"]
    expected = [run.final["test_accuracy"] for run in trained if run.dataset == "sst5"]
    assert sst5.records["dm"] == " ".join(run.folder.name for run in trained if run.dataset == "sst5")
    assert [sst5.scores["dm"][seed].mean() for seed in range(3)] == pytest.approx(expected)


def test_the_order_of_records_does_not_matter(runs, tmp_path):
    for folder, given in (("one", runs), ("other", runs[::-1])):
        make(given, tmp_path / folder)
    for name in ("table.csv", "table.md", "overall/table.csv", "overall/table.md", "universality.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_files_say_what_is_shown(runs, tmp_path):
    paths = make(runs, tmp_path)
    kinds = {"table.csv", "table.md", "table.tex"}
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {
        *kinds, *(f"overall/{name}" for name in kinds), "universality.pdf", "universality.png"
    }  # fmt: skip
    shown = (tmp_path / "table.md").read_text()
    assert all(header in shown for header in DOMAIN_COLUMNS)
    assert "There is no reference alone: dm stands in its place" in shown and "There is no shuffled control." in shown
    assert "no rule in all" in (tmp_path / "overall" / "table.md").read_text()
    assert make([], tmp_path / "none") == []


def test_it_starts_no_runs(capsys):
    assert main(["run", "table6_universality", "--preset", "quick", "--dry-run"]) == 2
    assert "start those of a table of one step" in capsys.readouterr().err


def test_accuracies_that_contradict_the_record_are_refused(tmp_path):
    for name in ("dm", "li"):
        vectors(tmp_path, name, 0, [0.5, 0.6])
    path = tmp_path / "alpha_validity" / "li-0" / "final.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"test_accuracy": 0.9}))
    with pytest.raises(RecordError, match="differ in accuracy"):
        domains(load_runs(tmp_path))
