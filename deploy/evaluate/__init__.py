"""`zhike evaluate METHOD`: a method of ours on data a person brings, with honest figures."""
