"""Table 5: how well α and other measures of importance recover planted shares of information."""
