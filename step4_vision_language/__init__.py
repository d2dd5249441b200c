"""Step 4: vision and language."""
