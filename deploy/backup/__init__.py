"""Backups: everything a platform knows in one file, and back again. See docs/operations.md."""
