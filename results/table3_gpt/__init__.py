"""Table 3: causal language modelling with multi-stream GPT-2."""
