"""Figures of step 4: α and contribution by layer, accuracy by what a question needs, loss over training."""
