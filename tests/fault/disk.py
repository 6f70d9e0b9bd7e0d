"""A small disk for the data folder, so that it can be filled: a file mounted as ext4, or memory, where one may."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

SIZE_MB: Final = 4096


class Disk:
    """A mount point. `refusal` says why there is none; the folder works all the same, it just cannot be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._image = folder, folder.with_suffix(".image")
        self.refusal: str | None = "not mounted"

    @property
    def ballast(self) -> Path:
        """The file that fills it."""
        return self.folder / "ballast"

    def mount(self) -> None:
        """Mount what this machine allows; without, say why in `refusal`."""
        self.folder.mkdir(parents=True)
        if os.geteuid() != 0:
            self.refusal = "mounting a disk needs root"
            return
        self.refusal = self._loop()
        if (
            self.refusal is not None
            and _run("mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", str(self.folder)) is None
        ):
            self.refusal = None
        if self.refusal is None:
            self.folder.chmod(0o755)

    def fill(self) -> None:
        """Take all the space that is left."""
        free = shutil.disk_usage(self.folder).free
        with self.ballast.open("wb") as file:
            while free > 4096:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)
                except OSError:
                    free //= 2

    def empty(self) -> None:
        """Give the space back."""
        self.ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away, with everything on it."""
        if self.refusal is None and _run("umount", str(self.folder)) is not None:
            # Somebody looks into it at this moment: it goes when he has left.
            _run("umount", "--lazy", str(self.folder))
        self._image.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _loop(self) -> str | None:
        if shutil.which("mkfs.ext4") is None:
            return "there is no mkfs.ext4"
        with self._image.open("wb") as file:
            file.truncate(SIZE_MB << 20)
        return _run("mkfs.ext4", "-q", "-m", "0", str(self._image)) or _run(
            "mount", "-o", "loop", str(self._image), str(self.folder)
        )


def _run(*command: str) -> str | None:
    """None when it worked, else why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else f"{command[0]}: {done.stderr.strip()[-200:]}"
