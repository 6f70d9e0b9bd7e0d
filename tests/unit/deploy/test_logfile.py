"""Log files stay bounded, lose no line at the turn, and can be followed."""

from contextlib import closing
from itertools import islice

from deploy.logfile import BACKUPS, BoundedLog, follow


def lines_of(folder, name):
    files = sorted(folder.glob(f"{name}*"), key=lambda path: -int(path.suffix[1:]) if path.suffix[1:].isdigit() else 1)
    return [line for path in files for line in path.read_text().splitlines()]


def test_turning_over_loses_no_line_and_splits_none(tmp_path):
    with closing(BoundedLog(tmp_path / "api.log", max_bytes=100)) as log:
        for number in range(30):
            log.write(f"line {number}\n".encode())
    assert lines_of(tmp_path, "api.log") == [f"line {number}" for number in range(30)]
    assert (tmp_path / "api.log.1").exists()


def test_old_files_go(tmp_path):
    with closing(BoundedLog(tmp_path / "api.log", max_bytes=10)) as log:
        for number in range(100):
            log.write(f"line {number}\n".encode())
    assert len(list(tmp_path.iterdir())) == BACKUPS + 1


def test_a_restart_goes_on_in_the_same_file(tmp_path):
    for word in ("before", "after"):
        with closing(BoundedLog(tmp_path / "api.log")) as log:
            log.write(f"{word}\n".encode())
    assert lines_of(tmp_path, "api.log") == ["before", "after"]


def test_following_shows_the_last_lines_and_then_what_comes(tmp_path):
    path = tmp_path / "api.log"
    with closing(BoundedLog(path, max_bytes=60)) as log:
        for number in range(5):
            log.write(f"line {number}\n".encode())
        seen = follow([path], lines=2, forever=True, pause_s=0.001)
        assert list(islice(seen, 2)) == [("api", "line 3"), ("api", "line 4")]
        log.write(b"line 5\n")
        assert next(seen) == ("api", "line 5")
        log.write(b"line 6 turns the file over\nline 7\n")
        assert list(islice(seen, 2)) == [("api", "line 6 turns the file over"), ("api", "line 7")]
