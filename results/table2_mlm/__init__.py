"""Table 2: masked language modelling."""
