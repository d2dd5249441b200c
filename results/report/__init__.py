"""All tables and figures in one page that stands alone."""
