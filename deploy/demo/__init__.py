"""`zhike demo`: a grocer's year of real purchases through the whole platform, once, with its figures checked."""
