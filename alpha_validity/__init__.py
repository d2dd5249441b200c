"""Does α say which stream mattered? Every rule on vector streams whose information shares are known."""
