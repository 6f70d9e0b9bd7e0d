"""Where the demo stands: a platform of its own in a data folder, started, found again, or cleared away."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from deploy import control, up
from deploy.demo.client import DemoError
from deploy.home import Home
from deploy.placement import POINTER

RESULT: Final = "demo.json"
MARK: Final = "demo.begun"


def result(home: Home) -> dict[str, Any] | None:
    """What a finished demo wrote, None where there is none."""
    try:
        found: dict[str, Any] = json.loads((home.path / RESULT).read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DemoError(f"{home.path / RESULT} cannot be read; start again with --fresh") from error
    return found


def keep(home: Home, found: dict[str, Any]) -> None:
    """Write the result, readable by its owner only: it holds keys."""
    building = home.path / f"{RESULT}.building"
    building.touch(mode=0o600)
    building.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    building.replace(home.path / RESULT)
    (home.path / MARK).unlink(missing_ok=True)


def is_begun(home: Home) -> bool:
    """Whether a demo was begun here and not finished."""
    return (home.path / MARK).exists()


def begin(home: Home) -> None:
    """Remember that what comes into this folder from now on is the demo's."""
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / MARK).touch()


def start(home: Home, port: int) -> dict[str, Any]:
    """Have the platform run with its mail catcher; returns its state. Raises DemoError."""
    state = home.read_state()
    if home.supervisor_pid() is not None:
        if state.get("scales", {}).get("mail"):
            return state
        control.stop(home.path)  # runs without the mail catcher: `make run` started it
        port = state.get("base_port", port)
    said: list[str] = []
    arguments = ["--data", str(home.path), "--port", str(port), "--scale", "mail=1"]
    if up.detached(arguments, home, said.append):
        reason = "\n".join(said)
        raise DemoError(f"the platform did not start.\n{reason}\n`zhike doctor` says what this machine lacks.")
    return home.read_state()


def clear(home: Home) -> None:
    """Stop the demo's platform and remove what is in it. Raises DemoError for a folder that is not the demo's."""
    if not is_begun(home) and result(home) is None:
        raise DemoError(
            f"{home.path} holds a platform that the demo did not make, and is left as it is. "
            "Give the demo a folder and ports of its own: zhike demo --data var/demo --port 8500"
        )
    begin(home)  # if we are interrupted, the next run goes on clearing
    (home.path / RESULT).unlink(missing_ok=True)
    control.stop(home.path)
    pointer = home.postgres / POINTER
    if pointer.exists():
        shutil.rmtree(Path(pointer.read_text().strip()), ignore_errors=True)
    for folder in (home.postgres.parent, home.artifacts, home.mail, home.log, home.run):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (home.state_file, home.path / "secrets.env"):
        file.unlink(missing_ok=True)
