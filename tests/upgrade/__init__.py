"""Yesterday's data under today's code."""
