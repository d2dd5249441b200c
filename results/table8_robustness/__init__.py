"""Table 8: accuracy on misspelt, derived and misheard words."""
