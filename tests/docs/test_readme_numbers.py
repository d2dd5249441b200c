"""The README says what table 1 and the benchmark records say."""

from results.readme import REPOSITORY, updated


def test_readme_is_up_to_date_with_table_and_records():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert updated(readme) == readme
