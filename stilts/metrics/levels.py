"""How sure a statement must be, once for the whole house: what intervals hold, and what claims may be false."""

# Two-sided intervals hold the true value in this share of studies.
LEVEL = 0.95
# The chance that a claim, or one of a family of claims (Holm), is false.
FALSE_CLAIM = 0.05
# The expected share of false ones among what is called beyond chance (Benjamini-Hochberg).
FALSE_DISCOVERY = 0.05
