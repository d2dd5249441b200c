"""Derived forms that no training text has: does knowing the parts of a word help where the whole is new?"""

from __future__ import annotations

import re

from common.data.perturb.base import Choices, Perturbation, is_plain, register_perturbation
from common.data.perturb.sounds import dictionary

LEAST = 4
"""Letters of the shortest word that is derived from."""
CLOSED_WORDS = """
    about above across after again against almost along already also although always among another anybody anyone
    anything around aught because been before behind being below beneath beside besides between beyond both cannot
    could despite does doing done down during each either else enough even ever every everybody everyone everything
    except from further have having hence here hers herself himself however indeed inside instead into itself just
    least less like many might mine more moreover most much must myself near neither never nobody none nonetheless nope
    nothing nowhere once only onto other others otherwise ought ours ourselves outside over perhaps quite rather same
    several shall should since some somebody someone something sometimes somewhere soon still such than that their
    theirs them themselves then thence there therefore these they thing this those though through throughout thus
    together toward towards under unless until unto upon very were what whatever when whence whenever where whereas
    wherever whether which whichever while whither whom whose whoever will with within without would your yours
    yourself yourselves
"""
"""Of closed classes, which derive nothing; from four letters on."""
CLOSED = frozenset(CLOSED_WORDS.split())
TURNED = frozenset({"bare", "hard", "late", "most", "near", "scarce", "short"})
"""Adjectives whose adverb in -ly means something else (``hardly``)."""
DERIVED = ("ness", "ly", "ish", "like", "less", "ment", "tion", "sion", "ity", "ism", "ship", "hood")
"""Words that end so are derived already."""


@register_perturbation("derivation")
class Derivation(Perturbation):
    """Derived forms that are not in the training split: -ness, -ly and -ish of adjectives, -like and -ish of nouns.

    Prefixes such as un- and the suffix -less are left out: they turn the sentiment around. -ish weakens it. A word is
    taken for an adjective where the CMU dictionary has its -ness, -ly or -est, else for a noun where it has its plural;
    a verb may pass for a noun.
    """

    def choices(self, word: str) -> Choices:
        if not is_plain(word, LEAST) or word in CLOSED or word.endswith(DERIVED):
            return ()
        known = dictionary()
        if word not in known:
            return ()
        if any(derived(word, suffix) in known for suffix in ("ness", "ly", "est")):
            suffixes = ("ness", "ish") if word in TURNED else ("ness", "ly", "ish")
        elif plural(word) in known and not re.search(r"[^s]s$|ed$|ing$", word):
            suffixes = ("like", "ish")
        else:
            return ()
        forms = (derived(word, suffix) for suffix in suffixes)
        return tuple((form,) for form in forms if form not in self.vocabulary)


def derived(word: str, suffix: str) -> str:
    """`word` with a suffix: happy, happiness; subtle, subtly; comic, comically; blue, bluish; big, biggest."""
    consonant_y = re.search(r"[^aeiou]y$", word) is not None
    if suffix in ("ness", "ly", "est") and consonant_y:
        word = word[:-1] + "i"
    if suffix == "ly":
        if re.search(r"[^aeiou]le$", word):
            return word[:-1] + "y"
        if word.endswith("ic"):
            return word + "ally"
        if word.endswith("ll"):
            return word + "y"
    if suffix in ("ish", "est"):
        if re.fullmatch(r"[^aeiou]*[aeiou][bdgkmnprt]", word):
            return word + word[-1] + suffix
        return re.sub(r"e$", "", word) + suffix
    return word + suffix


def plural(word: str) -> str:
    """`word` with the regular ending of the plural: comedies, churches, films."""
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")
