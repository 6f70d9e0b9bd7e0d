"""The group `zhike evaluate`; each method is a module of its own, imported when it is called."""

import click

from deploy.evaluate.recommend import recommend


@click.group()
def evaluate() -> None:
    """Judge a method on data you bring: prints what it finds, as a table or with --json."""


evaluate.add_command(recommend)
