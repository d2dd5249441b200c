"""Table 6: does one integration rule do well in every domain?"""
