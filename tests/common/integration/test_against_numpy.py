"""Every rule of the study against a plain, unrolled NumPy version of its formula in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

STREAMS = ("ref", "b", "c", "d")


def rms(x):
    return np.sqrt((x**2).mean(-1, keepdims=True))


def phi(x, kind):
    erf = np.vectorize(math.erf)
    if kind == "relu":
        return np.maximum(x, 0)
    return x * 0.5 * (1 + erf(x / math.sqrt(2))) if kind == "gelu" else x


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer_norm(x, weight, bias):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weight + bias


def projected(module, weights, streams):
    """``n(P_i s_i)`` per stream, the reference as it is."""
    result, start = {"ref": streams["ref"]}, 0
    for name in STREAMS[1:]:
        narrow = streams[name].shape[-1]
        wide = streams[name] @ weights["project.weight"][:, start : start + narrow].T
        start += narrow
        if module.config.scale != "none":
            wide = wide / rms(wide)
        result[name] = wide * rms(streams["ref"]) if module.config.scale == "reference" else wide
    return result


def alpha_of(module, w, streams, site):
    """α ``[..., N]`` that broadcasts over ``[B, T, N]``, or ``[N, D]`` for channels."""
    config = module.config
    row = 0 if config.scope == "shared" else site
    alpha = w["mixing.alpha"]
    unit = {name: streams[name] / rms(streams[name]) for name in STREAMS}
    if config.rule == "scalar_mix":
        scale = w["mixing.mix_scale"] if site == module.sites - 1 else 1.0
        return softmax(alpha.reshape(-1)).reshape(alpha.shape)[site] * scale
    if config.rule == "attention":
        keys = np.stack([unit[n] @ w[f"keys.{i}"].T for i, n in enumerate(STREAMS)], axis=2)  # [B, T, N, h]
        query = keys.mean(2) @ w["query"][row].T
        return softmax((keys * query[:, :, None]).sum(-1) / math.sqrt(config.hidden) + alpha[row])
    if config.rule == "gated":
        return sigmoid(np.concatenate([unit[n] for n in STREAMS], -1) @ w["gate"][row].T + alpha[row])
    alpha = alpha[row]
    if config.granularity == "token":
        directions = np.split(w["mixing.direction"][row], np.cumsum([streams[n].shape[-1] for n in STREAMS])[:-1])
        alpha = alpha + np.stack([unit[n] @ v for n, v in zip(STREAMS, directions, strict=True)], -1)
    if config.constraint == "softmax":
        return softmax(alpha.T).T if config.granularity == "channel" else softmax(alpha)
    return sigmoid(alpha) if config.constraint == "sigmoid" else alpha


def mixing(module, w, all_streams):
    """DM and the rules built on it."""
    config, z = module.config, None
    for site in range(module.sites):
        streams = all_streams[site]
        u = projected(module, w, streams)
        alpha = alpha_of(module, w, streams, site)
        by_channel = config.granularity == "channel"
        terms = [u[n] * (alpha[i] if by_channel else alpha[..., i, None]) for i, n in enumerate(STREAMS)]
        total = np.zeros_like(u["ref"])
        shared = config.scope == "shared"
        if site > 0 and config.rule == "scalar_mix":
            total = z * (w["mixing.mix_scale"] if site == module.sites - 1 else 1.0)
        elif site > 0:
            row = 0 if shared else site - 1
            below = z @ w["carry_matrix"][row].T if config.rule == "dm_linear" else z
            total = w["mixing.gamma"][row] * below
        if site < module.sites - 1 and config.rule != "scalar_mix":
            total = total + w["bias"][0 if shared else site]
        if config.rule == "multiplicative":
            beta = iter(w["mixing.beta"][0 if shared else site])
            divisor = rms(streams["ref"]) if config.scale == "reference" else 1.0
            for i, one in enumerate(STREAMS):
                for other in STREAMS[i + 1 :]:
                    total = total + next(beta) * u[one] * u[other] / divisor
        for stage, term in enumerate(terms):
            if config.rule == "hierarchical" and stage > 1:
                eta = w["mixing.eta"][0 if shared else site, stage - 2]
                total = total + eta * (phi(total, "gelu") - total)
            total = total + term
        z = phi(total, config.activation)
    return z


def matrices(module, w, all_streams):
    """LI and LI-soma; at LI's last site Norm and φ are the backbone's business."""
    z = None
    for site in range(module.sites):
        inputs = [all_streams[site][n] for n in STREAMS]
        total = 0 if module.residual is None else all_streams[site]["ref"]
        total = total + np.concatenate(([] if z is None else [z]) + inputs, -1) @ w[f"joins.{site}.weight"].T
        last = site == module.sites - 1
        if not last:
            total = total + w[f"joins.{site}.bias"]
            if module.config.rule == "li":
                total = layer_norm(total, w[f"norms.{site}.weight"], w[f"norms.{site}.bias"])
        z = total if last and module.config.rule == "li" else phi(total, module.config.activation)
    return z


CASES = [
    ("dm", {}),
    ("dm", {"activation": "gelu", "scale": "rms"}),
    ("dm", {"activation": "relu", "scale": "none"}),
    ("dm", {"scope": "shared", "init": "predecessor"}),
    ("dm", {"granularity": "channel"}),
    ("dm", {"granularity": "channel", "constraint": "softmax"}),
    ("dm", {"granularity": "token"}),
    ("dm", {"granularity": "token", "constraint": "softmax"}),
    ("dm", {"constraint": "softmax"}),
    ("dm", {"constraint": "sigmoid", "init": "equal"}),
    ("dm_linear", {}),
    ("dm_linear", {"init": "predecessor", "activation": "gelu", "scope": "shared"}),
    ("li", {}),
    ("li", {"activation": "gelu", "init": "equal"}),
    ("li_soma", {}),
    ("li_soma", {"activation": "relu"}),
    ("attention", {}),
    ("attention", {"scope": "shared", "activation": "gelu", "init": "equal"}),
    ("gated", {}),
    ("gated", {"scale": "rms"}),
    ("multiplicative", {}),
    ("multiplicative", {"activation": "gelu", "scale": "rms", "scope": "shared"}),
    ("hierarchical", {}),
    ("hierarchical", {"activation": "gelu", "scope": "shared"}),
    ("scalar_mix", {}),
    ("scalar_mix", {"init": "equal", "scale": "none"}),
]


@pytest.mark.parametrize("rule,options", CASES, ids=lambda value: value if isinstance(value, str) else str(value))
def test_recurrence_over_depth(lab, rule, options):
    module = lab.shake(lab.build(rule, 4, **options))
    streams = lab.streams(module)
    weights = {name: p.detach().double().numpy() for name, p in module.named_parameters()}
    arrays = [{n: x.detach().double().numpy() for n, x in site.items()} for site in streams]
    expected = (matrices if rule.startswith("li") else mixing)(module, weights, arrays)
    got = lab.run(module, streams)[-1].state.detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)
