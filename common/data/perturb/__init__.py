"""Texts with misspelt, derived and misheard words: what sound and word structure might be good for."""

from common.data.perturb.base import Perturbation, Perturbed, perturb, perturbations, register_perturbation
from common.data.perturb.derivation import Derivation
from common.data.perturb.homophone import Homophone
from common.data.perturb.phonetic import Phonetic, PhoneticUnchecked
from common.data.perturb.typo import Typo

__all__ = [
    "Derivation", "Homophone", "Perturbation", "Perturbed", "Phonetic", "PhoneticUnchecked", "Typo", "perturb",
    "perturbations", "register_perturbation",
]  # fmt: skip
