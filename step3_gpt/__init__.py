"""Step 3: multi-stream GPT-2."""
