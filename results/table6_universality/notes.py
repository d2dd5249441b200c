"""What the records show, in words, beside the numbers of table 6."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from results.best import NOTE
from results.render import p_value
from results.table6_universality.concordance import PERMUTATIONS, concordance
from results.table6_universality.configs import REFERENCE, SHUFFLED
from results.table6_universality.resampling import REPLICATES
from results.table6_universality.rows import BEATS, UNTESTED, WORSE, Judged, control_of


def overall_note(judged: Sequence[Judged], overall: pd.DataFrame) -> str:
    """What stands below the table over all domains."""
    scaled = sum(bool(one.normalised) for one in judged)
    text = [
        _best(judged),
        _leading(overall),
        _beaten(overall),
        _agreement(judged),
        f"Each row is over the domains that have both the rule and dm. Ranks and first: {REPLICATES:,} replicates,",
        "each of which draws seeds and examples of a domain once for all its rules; a rule of one seed is taken as",
        "it is. Δ / SE: gain over the reference in standard errors. Normalised: 0 is the reference, 1 the best rule",
        f"of a domain; {scaled} of {len(judged)} domains have such scores, in the others no rule is shown to beat the",
        "reference or there is none. IQM: interquartile mean over domains, below four of them the mean. Δ / SE and",
        "beats shuffled leave out comparisons of one seed. Options a and b of the causal language model share their",
        "reference, so they are not independent. Rank by task: the mean over tasks, each the mean over its domains, so",
        f"that every task counts alike; in brackets how many tasks the row has. {_by_task(judged)}",
    ]
    return " ".join(filter(None, text))


def domain_note(one: Judged) -> str:
    """What stands below the table of a domain."""
    domain, frame = one.domain, one.frame
    counts = sorted({int(count) for count in frame["seeds"]})
    text = [
        f"Score: {domain.called}, mean ± standard deviation over seeds; seeds per row: {_listed(map(str, counts))}.",
        f"Δ is the gain over {domain.anchor}, over the seeds that both have; intervals: 95 %, bootstrap over seeds and",
        f"{domain.examples} drawn jointly for all rules. Largest gain: {_listed(_leaders(one))}.",
    ]
    if domain.anchor != REFERENCE:
        text.append(f"There is no reference alone: {domain.anchor} stands in its place, and no score is normalised.")
    elif not one.normalised:
        text.append("No rule is shown to beat the reference, so no score is normalised.")
    if one.better:
        text.append(f"Shown to be better than {domain.anchor} (p Holm over the domain): {_listed(one.better)}.")
    text.append(_tested(one) if (frame["beats"] != UNTESTED).any() else "There is no shuffled control.")
    text.append(
        "What these seeds could have detected, and what each rule costs, is said by the table of the step itself."
    )
    if counts[0] == 1:
        text.append("A row with one seed speaks of that one trained model.")
    return " ".join([*text, NOTE])


def _leaders(one: Judged) -> list[str]:
    return list(one.frame.loc[one.frame["rank"] == one.frame["rank"].min(), "variant"])


def _best(judged: Sequence[Judged]) -> str:
    counts = Counter(rule for one in judged for rule in _leaders(one))
    everywhere = [rule for rule, count in counts.items() if count == len(judged)]
    verdict = f"{_listed(everywhere)} in all" if everywhere else "no rule in all"
    told = [one for one in judged if one.told_apart]
    among = _counted(Counter(rule for one in told for rule in _leaders(one)))
    return (
        f"Largest gain in {len(judged)} domains: {_counted(counts)}; {verdict}. In {len(told)} of them the rules are "
        f"told apart (one is shown to be better than the reference, or where there is none to differ from dm; paired "
        f"test, Holm over the domain), and there the largest gain is had by: {among}. In the others it may be luck."
    )


def _counted(counts: Counter[str]) -> str:
    return _listed(f"{rule} in {count}" for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _leading(overall: pd.DataFrame) -> str:
    """The rows of most domains only: ranks among other domains say nothing beside theirs."""
    most = overall.loc[overall["domains"] == overall["domains"].max()]
    lowest, percent = most.loc[most["rank"].idxmin()], (100 * most["first"]).round()
    first = most.loc[percent == percent.max(), "variant"]
    return (
        f"Of the {len(most)} rows over {lowest['domains']} domains {lowest['variant']} has the lowest mean rank, "
        f"{lowest['rank']:.2f} [{lowest['rank_low']:.2f}, {lowest['rank_high']:.2f}]; most often first: "
        f"{_listed(first)}, in {percent.max():.0f} % of the replicates."
    )


def _beaten(overall: pd.DataFrame) -> str:
    tested = overall.loc[overall["tested"] > 0]
    if tested.empty:
        return ""
    never = tested.loc[tested["beats"] == 0, "variant"]
    always = tested.loc[tested["beats"] == tested["tested"], "variant"]
    return (
        f"Shown to beat the shuffled control wherever tested: {_listed(always)}; in no domain: {_listed(never)} "
        "(paired test, Holm over the domain; the control is the rule itself on shuffled streams where that has runs, "
        "else DM on them)."
    )


def _by_task(judged: Sequence[Judged]) -> str:
    counts = Counter(one.domain.task or one.domain.title for one in judged)
    return f"Domains: {_listed(f'{count} of {task}' for task, count in counts.items())}."


def _agreement(judged: Sequence[Judged]) -> str:
    found = concordance(judged)
    if found is None:
        return "No three rules are shared by two domains, so agreement on their order is not measured."
    return (
        f"Agreement on the order of {_listed(found.rules)} over {len(found.domains)} domains, the largest block "
        f"without gaps: Kendall's W = {found.w:.2f}, p = {p_value(found.p)} ({PERMUTATIONS:,} permutations)."
    )


def _tested(one: Judged) -> str:
    tested = one.frame.loc[one.frame["beats"] != UNTESTED]
    beating, worse = (tested.loc[tested["beats"] == verdict, "variant"] for verdict in (BEATS, WORSE))
    text = f"Of {len(tested)} rules shown to beat the shuffled control (p Holm over the domain): {_listed(beating)}."
    own = [rule for rule in tested["variant"] if control_of(one.domain, rule) != SHUFFLED]
    if own:
        text += f" The control of {_listed(own)} is the rule itself on shuffled streams; of any other it is DM on them."
    return f"{text} Worse than it: {_listed(worse)}." if len(worse) else text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
