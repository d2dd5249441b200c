"""What the list of tables says: missing runs by name, and stale exactly while files are older than their sources."""

from dataclasses import replace

import pytest

from results import __main__ as command
from results import code_digest as digests
from results.catalogue import Entry, catalogue, chosen
from results.code_digest import code_digest, statements
from results.command import run_maker
from results.made_from import NOTE
from results.make import FOLDER, make
from results.reader import RecordError, load_runs
from results.states import ranges, state_of
from results.table1_sentiment.make import make as make_table1

NAME = "table1_sentiment"
ENTRY = Entry(NAME, "step1_sentiment", {"planted": ("meaning", "dm")}, (0, 1))


@pytest.fixture
def root(tmp_path, record):
    for seed in range(2):
        for name, accuracy in (("meaning", 0.6), ("dm", 0.8)):
            record(tmp_path / "records", name, seed, accuracy, dataset="planted", classes=2)
    return tmp_path


def state(root, entry=ENTRY):
    return state_of(entry, load_runs(root / "records"), root / "out" / entry.name)


def made(root):
    make(load_runs(root / "records"), root / "out", [NAME])


def test_complete_then_stale_then_complete(root, record):
    assert state(root).words == "stale"
    made(root)
    assert (state(root).words, state(root).found, state(root).wanted) == ("complete", 4, 4)
    record(root / "records", "li", 0, 0.7, dataset="planted", classes=2)
    assert state(root).words == "stale" and state(root).stale[0].startswith("1 record is new: li-")
    made(root)
    assert state(root).words == "complete"


def test_a_run_counts_once_it_has_the_file_that_the_table_shows(root):
    evaluated = replace(ENTRY, file="robustness.json")
    assert state(root, evaluated).found == 0
    (load_runs(root / "records")[0].folder / "robustness.json").write_text("{}")
    assert state(root, evaluated).found == 1


def test_a_changed_record_file_or_maker_makes_it_stale(root, monkeypatch):
    made(root)
    table = root / "out" / NAME / "table.csv"
    kept = table.read_bytes()
    table.write_bytes(kept + b"\n")
    assert state(root).stale == ("1 file is changed: table.csv",)
    table.unlink()
    assert state(root).stale == ("1 file is gone: table.csv",)
    table.write_bytes(kept)
    run = load_runs(root / "records")[0]
    words = (run.folder / "metrics.csv").read_text()
    (run.folder / "metrics.csv").write_text(words + "9,9,test,loss,1\n")
    assert state(root).stale == (f"1 record is changed: {run.folder.name}",)
    (run.folder / "metrics.csv").write_text(words)
    assert not state(root).stale
    monkeypatch.setattr("results.made_from.code_digest", lambda name: "other")
    assert state(root).stale == ("the code that makes it has changed",)


def test_the_note_has_the_same_bytes_and_one_table_alone_writes_it_too(root):
    made(root)
    note = root / "out" / NAME / NOTE
    before = note.read_bytes()
    arguments = ["--records", str(root / "records"), "--out", str(note.parent)]
    assert run_maker(make_table1, FOLDER / NAME, None, arguments) == 0
    assert note.read_bytes() == before
    note.write_text("[]")
    assert state(root).stale == (f"{NOTE} cannot be read",)


def test_missing_variants_and_seeds_are_named(root, record):
    wanted = {"planted": ("meaning", "dm", "gmu"), "sst5": ("meaning",)}
    found = state(root, replace(ENTRY, rows=wanted, seeds=(0, 1, 2)))
    assert (found.found, found.wanted) == (4, 12) and "missing runs" in found.words
    assert found.details[1:] == [
        "planted, minilm: seed 2 of meaning, dm (2)", "planted, minilm: seeds 0-2 of gmu (3)",
        "sst5: seeds 0-2 of meaning (3)",
    ]  # fmt: skip
    # Another config of a variant does not fill its gaps: a table shows one.
    record(root / "records", "dm", 2, dataset="planted", classes=2, lr=1.0)
    assert found.gaps == state(root, replace(ENTRY, rows=wanted, seeds=(0, 1, 2))).gaps


def test_many_variants_are_named_by_those_that_are_left(root):
    names = tuple("abcdefg")
    for rows, said in ((names, "seeds 0-1 of all 7 variants (14)"), ((*names, "dm"), "seeds 0-1 of all but dm (14)")):
        assert state(root, replace(ENTRY, rows={"planted": rows})).details[1:] == [f"planted, minilm: {said}"]


def test_a_row_of_three_seeds_is_there_and_lacks_further_ones(root, record):
    entry = replace(ENTRY, seeds=tuple(range(5)))
    for name in ("meaning", "dm"):
        assert state(root, entry).words == "stale, missing runs"
        record(root / "records", name, 2, 0.6, dataset="planted", classes=2)
    assert state(root, entry).words == "stale, fewer seeds" and state(root, entry).found == 6
    assert state(root, replace(entry, rows={"planted": ("meaning", "dm", "gmu")})).words == "stale, missing runs"


def test_the_longest_beginning_of_a_title_says_what_is_wanted():
    entry = catalogue()["table4_vision_language"]
    assert entry.key("scenes, questions, tiny, scratch") == "scenes, questions, tiny"
    assert entry.key("scenes, questions, timm/mobilenetv2_100, scratch") == "scenes, questions"
    assert entry.key("scenes, captions, tiny, scratch") is None and catalogue()["table2_mlm"].key("any, minilm") == ""
    assert catalogue()["table1_sentiment"].key("planted phonetic 1, minilm") == "planted phonetic 1"
    assert catalogue()["table1_sentiment"].key("planted phonetic 0.5, minilm") is None


def test_what_reads_the_runs_of_tables_wants_no_others():
    tables = [catalogue()[name].rows for name in ("table1_sentiment", "table1_ablation", "table8_robustness")]
    for name in ("figure_alpha_sentiment", "table9_importance"):
        for setting, rows in catalogue()[name].rows.items():
            assert rows and all(any(row in table.get(setting, ()) for table in tables) for row in rows)


def test_no_runs(root):
    runs = load_runs(root / "records")
    for name in ("table2_mlm", "figure_gpt", "table4_vision_language"):
        assert state_of(catalogue()[name], runs, root / "none").words == "no runs"


def test_every_folder_is_in_the_catalogue():
    folders = {path.parent.name for path in FOLDER.glob("*/make.py")}
    assert folders == set(catalogue())
    with pytest.raises(RecordError, match="unknown table or figure 'table9'; known: table1_sentiment, "):
        chosen(["table9"])


def test_comments_do_not_count_as_code_and_statements_do():
    source = 'def f():\n    """Adds."""\n    return "# no comment"  # a comment\n'
    assert statements(source) == statements('def f():\n\n    return "# no comment"\n')
    assert statements(source) != statements(source.replace("no comment", "another"))


def test_code_of_a_table_reaches_what_it_imports():
    assert len({code_digest(name) for name in catalogue()}) == len(catalogue())
    reached = digests._imported(FOLDER / "tables.py")
    assert {"results.arms", "common.evaluation.statistics"} <= set(reached)


def test_list_is_plain_text_and_checks_only_for_what_is_stale(tmp_path, record, monkeypatch, capsys):
    monkeypatch.setattr(command, "FOLDER", tmp_path / "out")
    record(tmp_path / "records", "meaning", 0, dataset="planted", classes=2)
    arguments = ["--records", str(tmp_path / "records")]
    assert command.main(arguments) == 0 and command.main([*arguments, "--check"]) == 1
    assert f"python -m results make {NAME} " in capsys.readouterr().out
    make(load_runs(tmp_path / "records"), tmp_path / "out")
    assert command.main(["list", "--check", *arguments]) == 0
    lines = dict(line.split("\t")[:2] for line in capsys.readouterr().out.splitlines() if "\t" in line)
    assert set(lines) == {"name", *catalogue()}
    assert lines[NAME] == "missing runs" and lines["table2_mlm"] == "no runs"


@pytest.mark.parametrize("arguments", [["make", "table9"], ["run", "table9", "--preset", "quick"], ["mak"]])
def test_wrong_names_are_one_line_that_lists_the_known(arguments, capsys):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: unknown") and "known: " in said and said.count("\n") == 1


def test_making_without_runs_says_how_to_get_some(root, capsys):
    records, out = str(root / "records"), str(root / "out")
    assert command.main(["make", "table2_mlm", "--records", records, "--out", out]) == 2
    assert "python -m results run table2_mlm" in capsys.readouterr().err
    assert command.main(["make", NAME, "--records", records, "--out", out]) == 0
    assert (root / "out" / NAME / "table.md").exists() and not (root / "out" / "table1_ablation").exists()


def test_ranges():
    assert ranges([9, 0, 3, 4, 5]) == "0, 3-5, 9"
