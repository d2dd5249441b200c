"""Step 2: masked language modelling with integrated streams."""
