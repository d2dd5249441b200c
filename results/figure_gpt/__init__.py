"""Figures of step 3: α and contribution by layer, gain by slice, loss against tokens read."""
