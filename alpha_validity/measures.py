"""What a trained model says about the importance of its streams, by every measure there is.

Of a stream, |α| is its weight, mean over the sites; matrix rules have none. Effective α: α of a site times γ of all
later ones, summed: what is left of it at the output. Contribution: norm of its term over the norms of all terms, the
state's included. Signed projection: its term projected on the sum of all, below zero where it works against the others.
Gradient × term: size of the gradient of the label's logit times what the stream adds at all sites. Leave-one-out:
accuracy lost when it is set to zero. Shapley: mean gain in accuracy over all orders in which the streams may join.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from alpha_validity.model import VectorModel
from common.evaluation.importance import effective_weights, leave_one_out, shapley, subsets
from common.integration.base import signed_shares
from common.integration.dm import DirectMixing
from common.integration.site import Site

MEASURES = ("alpha", "effective", "contribution", "projection", "gradient", "leave_one_out", "shapley")
"""``alpha``: |α|, mean over sites. ``effective``: |α times the γ of all later sites|, summed over sites.
``contribution``: share of norms, mean over samples and sites. ``projection``: signed share of the state, likewise; a
stream that works against the others is below zero. ``gradient``: |gradient of the label's logit times the
stream's terms|, mean over samples. ``leave_one_out``: accuracy lost without the stream. ``shapley``: its exact Shapley
value of accuracy over all subsets."""
Values = dict[str, float]


@torch.no_grad()
def accuracy(model: VectorModel, streams: Mapping[str, Tensor], labels: Tensor, present: frozenset[str]) -> float:
    """Share of right labels with only the streams `present`."""
    there = {name: torch.full((len(labels),), name in present) for name in model.names}
    return float((model(streams, there).logits.argmax(-1) == labels).float().mean())


def all_measures(model: VectorModel, streams: Mapping[str, Tensor], labels: Tensor) -> dict[str, Values]:
    """Measure -> stream -> value; NaN where a rule does not have it. The model is in evaluation mode."""
    names = model.names
    values = {chosen: accuracy(model, streams, labels, chosen) for chosen in subsets(names)}
    everything = frozenset(names)
    without = leave_one_out(values.__getitem__, names)["zero"]
    return {
        **weights(model, streams),
        **terms_of_the_sum(model, streams, labels),
        "leave_one_out": {name: values[everything] - without[name] for name in names},
        "shapley": shapley(values, names),
    }


@torch.no_grad()
def weights(model: VectorModel, streams: Mapping[str, Tensor]) -> dict[str, Values]:
    """The measures that stand in the model: alpha, effective, contribution."""
    joined = model(streams, report=True)
    absent = dict.fromkeys(model.names, math.nan)
    contributions = {name: float(np.mean([site[name].mean() for site in joined.contributions])) for name in model.names}
    if not joined.alphas:
        return {"alpha": absent, "effective": absent, "contribution": contributions}
    alphas = np.array([[float(site[name].abs().mean()) for name in model.names] for site in joined.alphas])  # [S, N]
    found = {"alpha": dict(zip(model.names, alphas.mean(0).tolist(), strict=True)), "contribution": contributions}
    gammas = _gammas(model, len(alphas))
    effective = absent
    if gammas is not None:
        effective = dict(zip(model.names, np.abs(effective_weights(alphas, gammas)).sum(0).tolist(), strict=True))
    return {**found, "effective": effective}


def _gammas(model: VectorModel, sites: int) -> np.ndarray | None:
    """γ at each site ``[S]``, 0 where the state below is not carried; None for rules whose carry is no number."""
    rule = model.integration
    if type(rule) is not DirectMixing:
        return None
    if not rule.inner_rows:
        return np.zeros(sites)
    gamma = rule.mixing["gamma"].detach().numpy()
    return np.array([0.0, *(gamma[rule.inner_row(site - 1)] for site in range(1, sites))])


def terms_of_the_sum(model: VectorModel, streams: Mapping[str, Tensor], labels: Tensor) -> dict[str, Values]:
    """The measures that need the terms of which the states are sums: projection, gradient; NaN for other rules.

    projection: mean over samples and sites of ``⟨term, z⟩ / ‖z‖²``. gradient: mean over samples of
    ``|Σ_l ⟨∂y/∂z_l, term_{l,i}⟩|``, where y is the label's logit minus the mean logit: the probability of a label that
    is certain has no slope any more. With gradient × input (Shrikumar et al. 2016) the input is the stream; here it is
    what the stream brings to the sum.
    """
    model.zero_grad()
    depths, state = model.encode(streams), None
    states, terms = [], []
    for site in model.sites:
        model.integration.seen.enter(site)
        combined = model.integration.combine(depths[site], state, Site(site, report=True))
        state = combined.state
        if combined.terms is None or not _is_sum(combined.terms, state.detach()):
            return {measure: dict.fromkeys(model.names, math.nan) for measure in ("projection", "gradient")}
        states.append(state)
        terms.append({name: term.detach() for name, term in combined.terms.items()})
    assert state is not None
    logits = model.read(state)
    margin = logits.gather(1, labels[:, None]).sum() - logits.mean(-1).sum()
    slopes = torch.autograd.grad(margin, states)
    projected = [signed_shares(site) for site in terms]
    projections, gradients = {}, {}
    for name in model.names:
        own = [(number, site[name]) for number, site in enumerate(terms) if name in site]
        projections[name] = float(torch.stack([projected[number][name].mean() for number, _ in own]).mean())
        each = [(slopes[number] * term).sum((-1, -2)) for number, term in own]
        gradients[name] = float(torch.stack(each).sum(0).abs().mean())
    return {"projection": projections, "gradient": gradients}


def _is_sum(terms: Mapping[str, Tensor], state: Tensor) -> bool:
    """Whether the state is the sum of its terms and a bias."""
    rest = state - sum(term.detach() for term in terms.values())  # [B, 1, D]
    return bool((rest - rest.mean(0)).abs().max() <= 1e-3 * state.abs().max())
