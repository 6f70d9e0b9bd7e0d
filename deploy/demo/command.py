"""`zhike demo`."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich.console import Console

from deploy import people, up
from deploy.cli import data_option
from deploy.demo import dataset, ground, run, story, summary
from deploy.demo.client import DemoError, Platform
from deploy.demo.database import Database
from deploy.demo.progress import Stages
from deploy.home import Home
from services.console.actions import keys as console_keys
from services.console.actions import users as console_users
from shared import contracts
from shared.config import DEFAULT_BASE_PORT
from shared.problems import Conflict

LOGIN: Final = "admin@grocer.example"


@click.command()
@data_option
@click.option("--port", default=DEFAULT_BASE_PORT, show_default=True, help="First of 14 ports.")
@click.option("--fresh", is_flag=True, help="Remove an earlier demo from the data folder and start again.")
def demo(data: Path, port: int, fresh: bool) -> None:
    """Put a real shop's year through the whole platform, and leave it running with the console open."""
    console = Console() if sys.stdout.isatty() else Console(width=120)
    home = Home(data.absolute())
    try:
        earlier = None if fresh else ground.result(home)
        if earlier is not None:
            ground.start(home, earlier["port"])
            console.print(f"The demo is loaded already ({home.path}); --fresh starts it again from nothing.")
        else:
            earlier = _perform(home, port, Stages(console))
        summary.show(console, earlier)
    except (DemoError, dataset.DatasetError) as error:
        raise click.ClickException(str(error)) from error
    if earlier["differences"]:
        sys.exit(1)


def _perform(home: Home, port: int, stages: Stages) -> dict[str, Any]:
    """The whole demo, from an empty folder to the written result."""
    began = time.monotonic()
    if ground.is_begun(home) or ground.result(home) is not None:
        stages.console.print(f"Removing the earlier demo from {home.path} …")
        ground.clear(home)
    with stages.stage("data", "The Complete Journey, moved to the present"):
        data = dataset.load(datetime.now(UTC))
    with stages.stage("platform", "The platform with all its services"):
        state = ground.start(home, port)
    around = up.surroundings(home)
    if around is None:
        raise DemoError("the platform has ended right after its start; `zhike logs supervisor` says why")
    database = Database(around.owner_url)
    if not database.is_empty():
        raise DemoError(
            f"{home.path} holds a platform with data of its own, and is left as it is. "
            "Give the demo a folder and ports of its own: zhike demo --data var/demo --port 8500"
        )
    ground.begin(home)
    keys, login = _let_in(home)
    base = str(state["urls"]["platform"])
    on = run.Stage(stages, Platform(base, keys["admin"]), database, data, home.mail)
    messages = run.load_history(on, base)
    run.learn(on, "as_of_the_cut", "Features and a model, as of the cut")
    segments = run.group(on)
    mailing = run.send_campaign(on, segments[story.AUDIENCE]["segment_id"])
    run.replay(on, messages)
    run.learn(on, "as_of_today", "Features and a model, as of today")
    run.open_sample_shop(on)
    counts, differences = run.check(on)
    database.close()
    stages.seconds["total"] = round(time.monotonic() - began, 2)
    found = {
        "counts": counts,
        "seconds": stages.seconds,
        "urls": {
            **state["urls"],
            "console": base,
            "storefront": f"{base}/storefront",
            "campaign": f"{base}/campaigns/{mailing.campaign_id}",
        },
        "keys": keys,
        "login": login,
        "port": state["base_port"],
        "file": str(home.path / ground.RESULT),
        "currency": dataset.CURRENCY,
        "weeks_moved": data.weeks_moved,
        "cut": data.cut.isoformat(),
        "end": data.end.isoformat(),
        "differences": differences,
        "segments": [
            {"segment_id": one["segment_id"], "name": name, "size": one["size"], "rule_text": one["rule_text"]["en"]}
            for name, one in segments.items()
        ],
        "campaign": run.report(on, mailing),
        "generated": summary.GENERATED,
        "derived": summary.DERIVED,
        "curl": _curl(base, keys["server"], int(data.households["household_id"][0])),
    }
    ground.keep(home, found)
    return found


def _let_in(home: Home) -> tuple[dict[str, str], dict[str, str]]:
    """A key of each kind, and the first person of the console with a password made up."""
    with people.as_console(home.path):
        keys = {kind: console_keys.create_key(f"demo {kind}", kind).secret for kind in contracts.KEY_SCOPES}
        try:
            first = console_users.create_user(LOGIN, None, "admin")
        except Conflict as error:
            raise DemoError(f"somebody has made {LOGIN} meanwhile; start again with --fresh") from error
    return keys, {"email": first.email, "password": first.password}


def _curl(base: str, key: str, household: int) -> str:
    body = orjson.dumps({"user_id": str(household), "n": 4}).decode()
    return (
        f"curl -s {base}/v1/recommendations -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
