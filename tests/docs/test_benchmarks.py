"""The README says what the benchmark records say."""

from benchmarks.readme import END, REPOSITORY, START, updated


def test_readme_is_up_to_date_with_the_records():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert START in readme and END in readme
    assert updated(readme) == readme
