"""``python -m common.integration``: the rules, what each does, which options it reads and how it starts."""

from __future__ import annotations

import inspect

from common.integration import rules


def describe() -> str:
    """One paragraph per registered rule."""
    lines = []
    for name, rule in rules().items():
        first = (inspect.getdoc(rule) or "").split("\n\n")[0].replace("\n", " ").replace("``", "")
        sites = "last site only" if rule.last_site_only else "every site"
        lines.append(f"{name}\n    {first}")
        lines.append(f"    {sites}; starts as the backbone: {rule.preserves}; inits: {', '.join(sorted(rule.inits))}")
        lines.append(f"    options: {', '.join(sorted(rule.options)) or 'none'}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    print(describe())
