"""`python -m deploy` is `zhike`."""

from deploy.cli import main

if __name__ == "__main__":
    main(prog_name="zhike")
