"""How the console reaches people who work in it."""
