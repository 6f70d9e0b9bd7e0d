"""The hot paths, each beside its ceiling: on the same machine, in the same run, in turns. `make bench`."""
