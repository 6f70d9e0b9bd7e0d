"""`make audit`: known flaws and licences of what is installed."""
