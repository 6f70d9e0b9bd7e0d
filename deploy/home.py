"""The data folder of an installation: what is in it, who is using it, what runs there."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CHECKOUT: Final = ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()
DEFAULT_DATA: Final = CHECKOUT / "var"


class InUseError(RuntimeError):
    """Another supervisor runs on this folder."""


@dataclass(frozen=True)
class Home:
    """Paths inside a data folder (default: `var` of the checkout)."""

    path: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's folder, or the note that says where its data are."""
        return self.path / "data" / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's folder."""
        return self.path / "data" / "valkey"

    @property
    def log(self) -> Path:
        """One log file per role."""
        return self.path / "log"

    @property
    def run(self) -> Path:
        """What only means something while it runs."""
        return self.path / "run"

    @property
    def artifacts(self) -> Path:
        """Published models."""
        return self.path / "artifacts"

    @property
    def mail(self) -> Path:
        """Messages the mail catcher accepted."""
        return self.path / "mail"

    @property
    def state_file(self) -> Path:
        """What the supervisor says about itself."""
        return self.path / "state.json"

    def prepare(self) -> None:
        """Make the folders; those that may hold people's data are closed to other accounts."""
        self.postgres.parent.mkdir(parents=True, exist_ok=True)  # PostgreSQL's account must be able to pass
        for folder in (self.log, self.run, self.artifacts, self.valkey):
            folder.mkdir(mode=0o700, exist_ok=True)

    def lock(self) -> IO[str]:
        """Take the folder for this process, until the returned file is closed. Raises InUseError."""
        self.run.mkdir(parents=True, exist_ok=True)
        file = (self.run / "lock").open("a+")
        for attempt in range(5):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.1 * attempt)  # `zhike status` holds it for an instant
        else:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise InUseError(
                f"{self.path} is in use by the supervisor with pid {owner}; "
                "`zhike stop` ends it, --data names another folder"
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def supervisor_pid(self) -> int | None:
        """The pid of the supervisor that holds this folder, None when nobody does."""
        try:
            with (self.run / "lock").open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return int(file.read().strip() or 0) or None
        except FileNotFoundError:
            pass
        return None

    def read_state(self) -> dict[str, Any]:
        """The last state written; {} when there is none."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state at once, so that a reader sees the old or the new."""
        building = self.state_file.with_suffix(".building")
        building.write_text(json.dumps(state, indent=1))
        building.replace(self.state_file)
