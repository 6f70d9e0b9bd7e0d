"""Models that contend for a data set, one a file. Each learns from a Log and scores every item for some people.

fit(log, …) gives a Contender. Nothing here knows which part of the data is held out.
"""
