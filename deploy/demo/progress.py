"""What a person sees while the demo runs: a bar per stage on a terminal, one line per finished stage elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Advance = Callable[[int], None]


class Stages:
    """Runs stages one after the other, shows them and remembers how long each took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, title: str, total: int | None = None) -> Iterator[Advance]:
        """One stage; call what it gives with how many of `total` are done. `name` is the key in `seconds`."""
        started = time.monotonic()
        with self._bar(title, total) as advance:
            yield advance
        took = time.monotonic() - started
        self.seconds[name] = round(took, 2)
        self.console.print(f"[green]✓[/] {title} [dim]{took:.1f} s[/]", highlight=False)

    @contextmanager
    def _bar(self, title: str, total: int | None) -> Iterator[Advance]:
        if not self.console.is_terminal:
            yield lambda _count: None
            return
        counted = [BarColumn(bar_width=30), MofNCompleteColumn()] if total else []
        columns = (SpinnerColumn(), TextColumn("{task.description}"), *counted, TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(title, total=total)
            yield lambda count: progress.advance(task, count)
