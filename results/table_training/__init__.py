"""How long and with which rates the runs were trained."""
