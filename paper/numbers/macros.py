"""All macros of all tables, in the order of the tables."""

from __future__ import annotations

from paper.numbers.comparison import cell_macros, comparison_macros, today_macros, told_macros
from paper.numbers.importance import TABLE as IMPORTANCE
from paper.numbers.importance import all_importance_macros, importance_macros
from paper.numbers.macro import Macro
from paper.numbers.planted import CHANGES, condition_macros, planted_macros
from paper.numbers.robustness import TABLE as ROBUSTNESS
from paper.numbers.robustness import all_spared_macros, spared_macros
from paper.numbers.sections import section_macros, verdict
from paper.numbers.study import study_macros
from paper.numbers.transfer import transfer_macros
from paper.numbers.universality import TABLE as UNIVERSALITY
from paper.numbers.universality import beats_macros, behind_macros, lead_macros
from results.kinds import ABLATION, KINDS, SHARES
from results.table_rows import Row


def macros(found: dict[str, list[Row]]) -> list[Macro]:
    """All macros of the tables `found`."""
    made: list[Macro] = []
    for table, rows in found.items():
        if all(row.get("seeds") == 0 for row in rows):
            continue  # it only says which runs it lacks
        made.append(Macro(table, True, f"results/{table}/table.csv"))
        sections = list(dict.fromkeys(row.section for row in rows))
        for section in sections:
            part = [row for row in rows if row.section == section]
            for row in part:
                made += [
                    *cell_macros(row),
                    *comparison_macros(row, part),
                    *today_macros(row),
                    *told_macros(row),
                    *beats_macros(row),
                    *planted_macros(row, part),
                    *transfer_macros(row, part),
                    *spared_macros(row),
                    *importance_macros(row, part),
                ]
            made += section_macros(table, section, part)
        if table == ROBUSTNESS:
            made += all_spared_macros(rows)
        if table == CHANGES:
            made += condition_macros(rows)
        if table == IMPORTANCE:
            made += all_importance_macros(rows)
        if table == UNIVERSALITY:
            made += [*behind_macros(rows), *lead_macros(rows)]
        if table in KINDS:
            by_section = {section: [row for row in rows if row.section == section] for section in sections}
            made.append(Macro(f"{table}/table/verdict", verdict(by_section), f"results/{table}/table.csv"))
    counted = [table for table in found if table in KINDS and table not in (ABLATION, SHARES)]
    made += study_macros([row for table in counted for row in found[table]])
    return made
