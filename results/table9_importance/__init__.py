"""Table 9: what a claim about a stream's importance rests on, in one row per stream."""
