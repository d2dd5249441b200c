"""Mixing weights learnt in one domain, frozen in another."""
