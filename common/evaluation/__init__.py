"""Evaluation: metrics, statistics, importance of streams, classes of words."""
