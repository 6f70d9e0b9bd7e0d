"""Statistics without a domain word in them: from numbers to numbers, no I/O, no clock, no dice.

The only part of shared that the rules of a service may use; it imports nothing but numpy, scipy and itself.
"""
