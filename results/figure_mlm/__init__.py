"""Figures of step 2: α and contribution by layer, gain and contribution by slice, loss against tokens read."""
