"""Ablation: DM and LI on every subset of the streams."""
