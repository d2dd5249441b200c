"""How far a rule gets with little data, and with few parameters."""
