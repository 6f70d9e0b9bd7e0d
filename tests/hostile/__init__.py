"""Requests nobody should have to expect, a hundred thousand of them: `make test-hostile`."""
