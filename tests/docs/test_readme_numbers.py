"""The READMEs say what the tables and the benchmark records say."""

import pytest

from results.readme import PAGES, REPOSITORY, SECTIONS, updated


@pytest.mark.parametrize("file", PAGES)
def test_readme_is_up_to_date_with_tables_and_records(file):
    readme = (REPOSITORY / file).read_text(encoding="utf-8")
    assert updated(readme, PAGES[file]) == readme


def test_every_section_stands_on_one_page():
    assert sorted(name for names in PAGES.values() for name in names) == sorted(SECTIONS)
