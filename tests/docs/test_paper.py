"""The paper: no result is typed by hand, and every key, citation, reference and file that it names is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from common import variants
from paper.numbers import (
    CONTROLS,
    EQUAL,
    KINDS,
    MATCHED,
    MEASURES,
    STUDIED,
    Row,
    document,
    macros,
    main,
    tables,
    verdict,
)
from results.table5_alpha_validity import configs as vectors
from step3_gpt import config as gpt

REPOSITORY = Path(__file__).parents[2]
PAPER, RESULTS = REPOSITORY / "paper", REPOSITORY / "results"
SECTIONS = sorted((PAPER / "sections").glob("*.tex"))
ALLOWED = {
    r"[Ss]tep [1-4]": "names of the steps",
    r"SST-5|GPT-2|BLIP-2|MobileNetV2|Flickr8k": "names",
    r"95\\,\\%": "level of the intervals",
    r"_\{l-1\}|_\{l\+1\}": "indices of equations",
    r"[il]=1,\\dots": "where indices begin",
    r"2\^N": "number of subsets",
    r"(\\alpha(_\{\\mathrm\{ref\}\})?|\\gamma|U)=[01](?![.\d])": "start values, common/integration/MATH.md",
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
}
"""File below results that the paper can do without -> why."""
NAMED = re.compile(r"\\((?:result|optional)(?:table|figure))\*?\{([^}]*)\}\{([^}]*)\}\{([^}]*)\}")


def uncommented(path):
    return re.sub(r"(?<!\\)%.*", "", path.read_text(encoding="utf-8"))


TEXTS = {path.stem: uncommented(path) for path in SECTIONS}
ALL = "\n".join(TEXTS.values())


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
    """`text` without the branches that speak of tables that are not there; their keys must be those of the table."""
    while (found := re.search(r"\\ifresults(?=\{)", text)) is not None:
        table, end = group(text, found.end())
        then, end = group(text, end)
        other, end = group(text, end)
        if table not in present:
            assert any(path.startswith(f"{table}/") for path in OPTIONAL), table
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
    made = macros(tables())
    known = {macro.key: macro.value for macro in made}
    present = {macro.key for macro in made if macro.value is True and "/" + "table.csv" in macro.source}
    text = without_absent(ALL, present & set(tables()))
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


def test_dm_is_not_cheaper_than_concatenation():
    frame = pd.read_csv(RESULTS / "table1_sentiment" / "table.csv")
    rows = frame.loc[frame["section"] == "sst5, minilm"].set_index("variant")
    for column in ("parameters_added", "step_time_ms"):
        assert rows.at["dm", column] > rows.at["concat", column]


def test_names_are_those_of_the_study():
    assert STUDIED == variants.STUDIED
    assert (*variants.CONTROLS[1:], "swapped") == CONTROLS
    assert tuple(gpt.MATCHED) == MATCHED
    assert tuple(vectors.MEASURES) == tuple(MEASURES) and vectors.EQUAL == EQUAL


NUMBERS = "accuracy_mean,accuracy_std,difference,difference_low,difference_high,p,p_holm,parameters"
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
    assert known[f"{row}/p_holm"] == r"\textless{}0.001"
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


def test_a_verdict_says_what_the_records_say(toy):
    rows = tables(toy)["table1_sentiment"]
    assert verdict("toy, tiny_bert", rows) == (
        r"On \emph{toy, tiny\_bert} (1 to 3 seeds per row), after Holm's correction \texttt{dm} is better than the "
        r"backbone alone, \texttt{li} is worse than it and 1 of 3 rows with two or more seeds cannot be told from it; "
        r"\texttt{gmu} had one seed, which says nothing about training anew."
    )
    none = [Row(row.table, row.line, {**row.cells, "p_holm": 1.0}) for row in rows if row.variant != "gmu"]
    assert "none of the 3 rows can be told from the backbone alone" in verdict("toy", none)
    assert verdict("toy", rows[:1]) == ""


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
        "variant,seeds,alpha_mean,contribution_mean,shapley_mean,section\n"
        'dm,5,0.3,0.2,0.9,"rank correlation, all settings"\nequal shares,0,0.1,,,"rank correlation, all settings"\n'
        'dm,5,0.3,0.1,0.05,"calibration error, all settings"\nequal shares,0,0.2,,,"calibration error, all settings"\n',
        encoding="utf-8",
    )
    known = {macro.key: macro.value for macro in macros(tables(tmp_path))}
    error = "table5_alpha_validity/calibration error, all settings/dm"
    assert known["table5_alpha_validity/rank correlation, all settings/dm/best"] == "the Shapley value"
    assert known[f"{error}/best"] == "the Shapley value"
    assert known[f"{error}/beats_equal_alpha"] is False and known[f"{error}/beats_equal_contribution"] is True


def test_no_table_is_an_error(tmp_path, capsys):
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "numbers.tex")]) == 2
    assert "python -m results make" in capsys.readouterr().err


def test_keys_are_unique_and_tables_known():
    assert document(macros(tables()))
    assert {"table1_sentiment", "table2_mlm", "table3_gpt"} <= set(tables()) & set(KINDS)


def test_make_paper_says_what_is_missing(tmp_path):
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make")
    run = subprocess.run(
        [make, "paper"], cwd=REPOSITORY, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert run.returncode != 0
    assert "latexmk is missing" in run.stderr and "apt-get install" in run.stderr


needs_latex = pytest.mark.skipif(not all(map(shutil.which, ("latexmk", "pdflatex", "bibtex"))), reason="no LaTeX")


def build(folder):
    return subprocess.run(
        ["latexmk", "-g", "-silent", "main.tex"], cwd=folder, capture_output=True, text=True, timeout=300
    )


@needs_latex
def test_the_paper_is_built(tmp_path):
    folder = tmp_path / "paper"
    shutil.copytree(PAPER, folder, ignore=shutil.ignore_patterns("build", "main.pdf", "__pycache__"))
    for name in ("results", "docs"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    assert main(["--out", str(folder / "build" / "numbers.tex")]) == 0
    run = build(folder)
    log = (folder / "build" / "main.log").read_text(encoding="latin-1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "undefined" not in log and "Overfull" not in log


@needs_latex
def test_an_unknown_key_ends_the_build(tmp_path):
    start = r"\documentclass{article}\input{macros}\flagis{a_b}{true}\resultis{c, d/e_f}{1}\begin{document}"
    (tmp_path / "latexmkrc").write_text((PAPER / "latexmkrc").read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copy(PAPER / "macros.tex", tmp_path)
    for text, works in {
        r"\result{c, d/e_f} \ifresult{a_b}{yes}{no} \ifresults{none}{yes}{no}": True,
        r"\result{c, d/e}": False,
        r"\ifresult{a}{yes}{no}": False,
    }.items():
        (tmp_path / "main.tex").write_text(start + text + r"\end{document}", encoding="utf-8")
        assert (build(tmp_path).returncode == 0) == works, text
