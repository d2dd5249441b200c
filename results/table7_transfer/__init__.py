"""Table 7: do mixing weights learnt in one domain serve in another?"""
