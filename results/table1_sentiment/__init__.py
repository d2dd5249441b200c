"""Table 1: all ways of joining the streams, on sentiment and topic data."""
