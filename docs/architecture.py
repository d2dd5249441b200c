"""Draws docs/architecture.png: ``python docs/architecture.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#444444"


def box(axes, x, y, width, height, text, colour, filled=False):
    face = colour if filled else "white"
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02,rounding_size=0.08", fc=face, ec=colour, lw=1.6)
    )
    axes.text(
        x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9, color="white" if filled else GREY
    )


def arrow(axes, start, end, colour, text="", shift=(0.0, 0.12), curve=0.0):
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=colour, lw=1.4, shrinkA=1, shrinkB=1,
                        connectionstyle=f"arc3,rad={curve}")
    )  # fmt: skip
    if text:
        x, y = (start[0] + end[0]) / 2 + shift[0], (start[1] + end[1]) / 2 + shift[1]
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color=colour)


def main() -> None:
    figure, axes = plt.subplots(figsize=(8.6, 5.0))
    axes.set_xlim(0, 11.6)
    axes.set_ylim(0, 6.6)
    axes.axis("off")
    columns = {"meaning": (0.4, BLUE, "subword tokens"), "phonetic": (3.0, ORANGE, "phonemes\nK AE1 T S"),
               "morphological": (5.2, GREEN, "morphemes\ncat + s")}  # fmt: skip
    for name, (x, colour, source) in columns.items():
        width = 2.0 if name == "meaning" else 1.6
        box(axes, x, 0.2, width, 0.65, source, colour)
        axes.text(x + width / 2, 6.35, name, ha="center", fontsize=10, color=colour, weight="bold")
        previous = 0.85
        for depth, y in enumerate((1.45, 3.05, 4.65)):
            label = f"backbone layer {depth + 1}" if name == "meaning" else f"encoder {depth + 1}"
            box(axes, x, y, width, 0.7, label, colour, filled=True)
            arrow(axes, (x + width / 2, previous), (x + width / 2, y), colour)
            previous = y + 0.7
    for depth, y in enumerate((1.45, 3.05, 4.65)):
        box(axes, 8.3, y, 1.5, 0.7, f"$z_{depth + 1}$", GREY)
        bends = {"meaning": 2.4, "phonetic": 4.6, "morphological": 6.8}
        symbols = {"meaning": r"$\alpha_1$", "phonetic": r"$\alpha_2$", "morphological": r"$\alpha_3$"}
        for name, (_, colour, _) in columns.items():
            end = (8.3, y + 0.35)
            if name == "morphological":
                arrow(axes, (6.8, y + 0.35), end, colour, symbols[name], shift=(0.35, -0.16))
            else:
                over = 0.95 if name == "meaning" else 0.82
                axes.plot([bends[name], bends[name] + 0.2, 7.55], [y + 0.5, y + over, y + over], color=colour, lw=1.4)
                arrow(axes, (7.55, y + over), (8.3, y + (0.6 if name == "meaning" else 0.48)), colour)
                text = (7.2, y + over + 0.17) if name == "meaning" else (7.2, y + over - 0.2)
                axes.text(*text, symbols[name], color=colour, fontsize=9, ha="center", va="center")
        if depth:
            arrow(axes, (9.05, y - 0.9), (9.05, y), GREY, r"$\gamma$", shift=(0.22, 0.0))
    arrow(axes, (9.05, 5.35), (9.05, 5.95), GREY)
    axes.text(9.05, 6.35, "the backbone's own\nbias, norm and head", ha="center", va="center", fontsize=9, color=GREY)
    axes.text(9.3, 0.5, r"$z_l=\varphi\,(\gamma_l z_{l-1}+\sum_i \alpha_{l,i}\,n(P_i s_{l,i})+b_l)$", ha="center",
              fontsize=10.5, color=GREY)  # fmt: skip
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=160, bbox_inches="tight", metadata={"Software": None})


if __name__ == "__main__":
    main()
