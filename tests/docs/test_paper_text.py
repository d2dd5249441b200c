"""The text of the paper: no result is typed by hand; its keys, citations, references and files are all there."""

import re

import pandas as pd
import pytest

from paper.numbers.macros import macros
from paper.numbers.pictures import picture_macros
from results.table_rows import tables
from tests.docs.paper_sources import ALL, PAPER, RESULTS, TEXTS, uncommented

ALLOWED = {
    r"[Ss]tep [1-4]": "names of the steps",
    r"SST-5|GPT-2|BLIP-2|MobileNetV2|Flickr8k|macro-F1": "names",
    r"\\_lr(1|20)\}": "names of rows",
    r"p\{0\.66\\textwidth\}": "width of a column",
    r"95\\,\\%": "level of the intervals",
    r"_\{l-1\}|_\{l\+1\}": "indices of equations",
    r"[il]=1,\\dots": "where indices begin",
    r"2\^N": "number of subsets",
    r"\$2a/\(5\+5a\)\$": "macro-F1 of naming one of five classes always",
    r"at least 300 words, as of about 2013": "which articles of Wikipedia the runs had",
    r"\$160\\times160\$": "size of the pictures that the runs had",
    r"report BLEU-4 of 19\.5 and 21\.3": "published results, with their citation",
    r"(\\alpha(_\{\\mathrm\{ref\}\})?|\\gamma|U|v)=[01](?![.\d])": "start values, common/integration/MATH.md",
}
"""Pattern of what may hold digits -> why."""
OPTIONAL = {
    "table4_vision_language/captions/table.tex": "step 4 may have no finished run",
    "table4_vision_language/questions/table.tex": "step 4 may have no finished run",
    "table4_vision_language/retrieval/table.tex": "step 4 may have no finished run",
    "table5_alpha_validity/table.tex": "may have no finished run",
    "table5_alpha_validity/calibration.pdf": "made with the table",
    "table6_universality/table.tex": "may not be made yet",
    "table6_universality/overall/table.tex": "may not be made yet",
    "table6_universality/universality.pdf": "made with the table",
    "table7_transfer/table.tex": "may have no finished run",
    "table8_robustness/table.tex": "may have no evaluated run",
    "table9_importance/table.tex": "may have no run of several streams",
    "figure_alpha_sentiment/planted/table.tex": "may have no run on generated texts",
    "figure_alpha_sentiment/ladder/table.tex": "needs runs on texts with a share in steps",
    "figure_alpha_sentiment/ladder.pdf": "made with that table",
    "table5_alpha_validity/conditions/table.tex": "needs runs with and without a condition",
    "table5_alpha_validity/tenths/table.tex": "needs runs with a share in steps",
    "table5_alpha_validity/curves.pdf": "made with that table",
    "table_training/table.tex": "may not be made yet",
    "figure_efficiency/efficiency.pdf": "may not be made yet",
}
"""File below results that the paper can do without -> why."""
NAMED = re.compile(r"\\((?:result|optional)(?:table|figure))\*?\{([^}]*)\}\{([^}]*)\}\{([^}]*)\}")


def group(text, start):
    """Content of the braces that open at or after `start`, and where they end."""
    opened = text.index("{", start)
    assert not text[start:opened].strip(), text[start : opened + 20]
    depth = 0
    for place in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[opened + 1 : place], place + 1
    raise AssertionError(f"braces that do not close: {text[opened : opened + 60]}")


def without_absent(text, present):
    """`text` without the branches that speak of tables or rows that are not there; their keys must be of these."""
    while (found := re.search(r"\\ifresults(?=\{)", text)) is not None:
        table, end = group(text, found.end())
        then, end = group(text, end)
        other, end = group(text, end)
        if table not in present:
            of_a_row = table.startswith(tuple(f"{name}/" for name in present))
            assert of_a_row or any(path.startswith(f"{table}/") for path in OPTIONAL), table
            inner = re.findall(r"\\(?:if)?result\{([^}]*)\}", re.sub(r"\\ifresults\{[^}]*\}", "", then))
            strangers = [key for key in inner if not key.startswith((f"{table}/", "study/"))]
            assert all(key.startswith(tuple(present)) for key in strangers), strangers
            then = ""
        text = text[: found.start()] + then + other + text[end:]
    return text


def stray_digits(text):
    """What is left with digits once names of files, keys, labels and lengths are out, and what is allowed."""
    text = re.sub(r"\\(result|ifresults?|cite[pt]?|ref|label|setlength\{[^}]*\})\{[^}]*\}", "", text)
    text = re.sub(r"\\includegraphics\[[^]]*\]\{[^}]*\}", "", text)
    text = re.sub(r"\\(result|optional)table\*?\{[^}]*\}\{[^}]*\}", "", text)
    text = re.sub(r"\\(result|optional)figure\{[^}]*\}\{[^}]*\}\{[^}]*\}", "", text)
    for pattern in ALLOWED:
        text = re.sub(pattern, "", text)
    return [line.strip() for line in text.splitlines() if re.search(r"\d", line)]


@pytest.mark.parametrize("name", TEXTS)
def test_no_number_is_typed_by_hand(name):
    assert stray_digits(TEXTS[name]) == []


TYPED = ("51.2", "0.53", r"12 \%", r"12\,\%", "$0.53$", r"\alpha=0.53", r"$\gamma=12$", "3 seeds")


@pytest.mark.parametrize("typed", TYPED)
def test_a_typed_number_is_found(typed):
    assert len(stray_digits(TEXTS["results"] + f"\nDM reaches {typed} here.")) == 1


@pytest.mark.parametrize("pattern", ALLOWED)
def test_what_is_allowed_is_used(pattern):
    assert re.search(pattern, ALL)


def test_every_key_exists():
    made = [*macros(tables()), *picture_macros()]
    known = {macro.key: macro.value for macro in made}
    present = {macro.key for macro in made if macro.value is True and "/" + "table.csv" in macro.source}
    text = without_absent(ALL, present & set(tables()) | set(known))
    used = re.findall(r"\\result\{([^}]*)\}", text)
    asked = re.findall(r"\\ifresult\{([^}]*)\}", text)
    assert used and asked
    assert [key for key in used if not isinstance(known.get(key), str)] == []
    assert [key for key in asked if not isinstance(known.get(key), bool)] == []
    assert not re.search(r"\\(if)?result\{[^}]*$", text, re.M), "a key is on one line"


def test_citations_and_bibliography_agree():
    cited = {key.strip() for keys in re.findall(r"\\cite[pt]?\{([^}]*)\}", ALL) for key in keys.split(",")}
    entries = re.findall(r"^@\w+\{([^,]+),", (PAPER / "references.bib").read_text(encoding="utf-8"), re.M)
    assert len(entries) == len(set(entries))
    assert cited == set(entries)


def test_every_file_is_there_or_optional():
    for kind, path, *_ in NAMED.findall(ALL):
        assert kind.startswith("optional") == (path in OPTIONAL), path
        assert path in OPTIONAL or (RESULTS / path).exists(), path
    assert set(OPTIONAL) <= {path for _, path, *_ in NAMED.findall(ALL)}
    outline = uncommented(PAPER / "main.tex")
    for path in re.findall(r"\\input\{([^}]*)\}", outline):
        assert path == "build/numbers" or (PAPER / f"{path}.tex").exists(), path
    assert {f"sections/{name}" for name in TEXTS} <= set(re.findall(r"\\input\{([^}]*)\}", outline))
    for path in re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", ALL):
        assert (PAPER / path).exists(), path


def test_every_reference_has_a_label():
    labels = set(re.findall(r"\\label\{([^}]*)\}", ALL))
    for kind, path, second, third in NAMED.findall(ALL):
        labels.add(f"fig:{third}" if kind.endswith("figure") else f"tab:{second}-1")
        if kind.endswith("table") and (RESULTS / path).exists():  # the title is that of a table which is not there
            assert rf"\label{{tab:{second}-1}}" in (RESULTS / path).read_text(encoding="utf-8"), path
    assert set(re.findall(r"\\ref\{([^}]*)\}", ALL)) <= labels


def test_every_character_of_the_tables_can_be_set():
    declared = {chr(int(code, 16)) for code in re.findall(r"Character\{(\w+)\}", uncommented(PAPER / "unicode.tex"))}
    for path in RESULTS.glob("table*/**/table.tex"):
        strange = {c for c in path.read_text(encoding="utf-8") if ord(c) > 255 or c in "±·×"}
        assert strange <= declared, f"{path}: declare {strange - declared} in paper/unicode.tex"


def test_fixed_sentences_about_alpha_hold():
    """Section 'Sentiment': α and contribution of the other streams stay near zero; only the meaning stream is missed;
    on planted texts the shuffled control orders the streams as well as DM."""
    figures = RESULTS / "figure_alpha_sentiment"
    frame = pd.read_csv(figures / "sst5_minilm-importance.csv")
    dm = frame.loc[frame["variant"] == "dm"].set_index(["measure", "stream"])["mean"]
    assert abs(dm["alpha", "meaning"] - 1) < 0.1
    for stream in ("phonetic", "morphological"):
        assert max(dm["alpha", stream], dm["contribution", stream]) < 0.05
        for way in ("zero", "mean", "permutation"):
            assert abs(dm[way, stream]) < 0.02 < dm[way, "meaning"]
    validity = pd.read_csv(figures / "planted_minilm-validity.csv").set_index(["variant", "measure"])["spearman"]
    assert validity["shuffled", "alpha"] >= validity["dm", "alpha"]


def test_fixed_sentences_about_matrices_hold():
    """DM-linear gains as much on shuffled streams, nearly as much without any; right streams add nothing."""
    table = pd.read_csv(RESULTS / "table2_mlm" / "table.csv")
    rows = table.loc[table["section"] == "wikipedia_en, minilm"].set_index("variant")
    linear, shuffled, alone = (rows.loc[f"dm_linear{end}"] for end in ("", "_shuffled", "[meaning]"))
    assert max(row["difference_p_holm"] for row in (linear, shuffled, alone)) < 0.05
    assert linear["told_low"] < 0 < linear["told_high"] < 0.05 * abs(linear["difference"])
    assert 0.75 < alone["difference"] / linear["difference"] < 1


def test_fixed_sentences_about_seeds_hold():
    """Limits, results of step 4: on the captions not all rows have the five seeds that DM and the projector have."""
    table = pd.read_csv(RESULTS / "table4_vision_language" / "captions" / "table.csv")
    seeds = table.loc[table["variant"] != "human"].set_index("variant")["seeds"]
    assert seeds["dm"] == seeds["projector"] == 5 > seeds.min() >= 3
    sentiment = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv")["seeds"]
    assert (sentiment[sentiment > 0] == 3).mean() > 0.5 and sentiment.max() < 10
    counts = pd.concat([pd.read_csv(path)["seeds"] for path in RESULTS.glob("table[1-4]*/**/table.csv")])
    assert (counts[counts > 0] == 3).mean() > 0.5


def test_fixed_sentences_about_rates_hold():
    """Experiments: no rate was searched; all rows of a setting share one schedule."""
    table = pd.read_csv(RESULTS / "table_training" / "table.csv", dtype=str)
    for rate in ("lr backbone", "lr streams", "lr head", "weight decay", "epochs"):
        several = table.loc[table[rate].str.contains(",", na=False), "variant"]
        assert several.empty, f"{rate}: {', '.join(several)}"


def test_fixed_sentences_about_what_dm_gains_hold():
    """Results of step 4: only DM is shown to beat the projector. In the mean it is ahead by more with the mean of the
    patches, by nearly as much at the output alone; a projector of patches hardly, concatenation not at all.
    """
    table = pd.read_csv(RESULTS / "table4_vision_language" / "captions" / "table.csv").set_index("variant")
    shown = (table["today"] > 0) & (table["today_p_holm"] < 0.05)
    assert list(table.index[shown]) == ["dm"] and (table.loc[["dm_pooled", "dm_output"], "seeds"] == 3).all()
    ahead = table["today"] / table.loc["dm", "today"]
    assert ahead["dm_pooled"] > 1 > ahead["dm_output"] > 0.85 and ahead["projector_patches"] < 0.15
    assert ahead["concat"] < 0


def test_fixed_sentences_about_unread_streams_hold():
    """Results: DM's answers on SST-5 and TREC are nearly those of its shuffled control, not those of the backbone."""
    table = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv").set_index(["section", "variant"])
    for section in ("sst5, minilm", "trec, minilm"):
        apart = table.loc[(section, "dm"), ["otherwise", "otherwise_shuffled"]]
        assert apart["otherwise_shuffled"] < 0.01 and apart["otherwise_shuffled"] < apart["otherwise"] / 5


def test_fixed_sentences_about_what_the_sound_alone_learns_hold():
    """Results: on the planted texts of the tables the sound alone is little better than a constant answer."""
    table = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv").set_index(["section", "variant"])
    for name in ("dm[phonetic]", "li[phonetic]"):
        alone = table.loc[("planted, minilm", name)]
        assert alone["accuracy_mean"] < alone["majority"] + 0.05


def test_fixed_sentences_about_what_was_found_hold():
    """Results, README: DM from equal weights finds the sound, from the plain backbone not; the sound's α is the
    smallest. Results: DM-linear on other pictures is no better than without.
    """
    words = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv").set_index(["section", "variant"])
    found, missed = (words.loc[("planted phonetic 1, minilm", name)] for name in ("dm_equal", "dm"))
    assert found["accuracy_least"] > 0.95 and found["difference_p_holm"] < 0.05 <= missed["difference_p_holm"]
    streams = pd.read_csv(RESULTS / "table9_importance" / "table.csv").set_index("section")
    weights = streams.loc["planted phonetic 1, minilm: dm_equal"].set_index("variant")["alpha_mean"]
    assert weights.idxmin() == "phonetic" and len(weights.dropna()) == 3
    captions = pd.read_csv(RESULTS / "table4_vision_language" / "captions" / "table.csv").set_index("variant")
    own, swapped = (captions.loc[name] for name in ("dm_linear", "dm_linear_swapped"))
    assert own["difference_p_holm"] < 0.05 <= swapped["difference_p_holm"]
    assert swapped["difference"] < own["difference"] / 10


def test_fixed_words_about_questions_hold():
    """Results: on easy-VQA and the scenes no other fusion than the projector was run."""
    table = pd.read_csv(RESULTS / "table4_vision_language" / "questions" / "table.csv")
    for data in ("easy_vqa", "scenes"):
        rows = set(table.loc[table["section"].str.startswith(f"{data},"), "variant"])
        assert rows <= {"no_image", "swapped", "projector", "dm", "dm_token", "li"} and {"projector", "dm"} <= rows


def test_fixed_words_about_slopes_hold():
    """README, below the curves: DM's α hardly rises with a planted share; what takes streams out follows it."""
    table = pd.read_csv(RESULTS / "table5_alpha_validity" / "tenths" / "table.csv").set_index(["section", "variant"])
    slopes = table.loc[("slope, unique information", "dm")]
    assert slopes["alpha_mean"] < 0.25
    assert min(slopes["leave_one_out_mean"], slopes["shapley_mean"]) > 0.95


def test_fixed_words_about_the_ladder_hold():
    """README: DM's α does not follow a rising share of the sound; what it costs to leave the sound out does. Findings:
    the smallest share is hardly found, so that these slopes are above 1, and α stays at a third.
    """
    table = pd.read_csv(RESULTS / "figure_alpha_sentiment" / "ladder" / "table.csv").set_index("variant")
    slopes = table.loc["dm_equal"]
    assert slopes["seeds"] >= 3 and slopes["accuracy_mean"] > 0.85 and abs(slopes["alpha_mean"]) < 0.1
    ways = ["zero", "mean", "permutation"]
    assert (slopes[[f"{way}_mean" for way in ways]] > 1).all()
    points = pd.read_csv(RESULTS / "figure_alpha_sentiment" / "ladder" / "points.csv").query("variant == 'dm_equal'")
    shares = points.pivot_table(index="truth", columns="measure", values="share")
    smallest = sorted(shares.index)[1]
    assert (shares.loc[smallest, ways] < smallest / 4).all() and shares["alpha"].between(0.29, 0.37).all()


def test_dm_is_not_cheaper_than_concatenation():
    frame = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv")
    rows = frame.loc[frame["section"] == "sst5, minilm"].set_index("variant")
    for column in ("parameters_added", "step_time_ms"):
        assert rows.at["dm", column] > rows.at["concat", column]
