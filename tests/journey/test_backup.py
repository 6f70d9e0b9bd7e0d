"""A shop is backed up while it runs, its data are lost, and it comes back: same counts, same recommendations."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.backup.archive import Reader
from deploy.placement import POINTER
from tests.journey.platform import Platform, eventually, free_block, zhike
from tests.journey.test_tea_shop import TeaShop

pytestmark = pytest.mark.slow


def start(data: Path) -> Platform:
    base_port = free_block()
    zhike("up", "--detach", "--with", "mail", "--data", str(data), "--port", str(base_port))
    return Platform(data, base_port)


def lose(data: Path) -> None:
    """All of the folder is gone but what the operator keeps elsewhere: the keys and the backups."""
    pointer = data / "data" / "postgres" / POINTER
    if pointer.exists():
        shutil.rmtree(pointer.read_text().strip())
    for path in data.iterdir():
        if path.name not in ("secrets.env", "backups"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def seen(platform: Platform, shop: TeaShop) -> dict[str, Any]:
    """What the shop looks like through its APIs: customers, segment, campaign, and what each is recommended."""
    campaign = platform.get("/v1/campaigns")["items"][0]["campaign_id"]
    return {
        "customers": [platform.customer(f"user_id:{person}") for person in shop.people],
        "segments": platform.get("/v1/segments")["items"],
        "campaign": platform.get(f"/v1/campaigns/{campaign}"),
        "report": platform.get(f"/v1/campaigns/{campaign}/report"),
        "model": platform.get("/v1/models", limit=1)["items"][0]["version"],
        "recommended": {person: recommended(platform, person) for person in shop.people},
    }


def recommended(platform: Platform, person: str) -> list[str]:
    """In their order. Scores fade with time, so that their last digit differs by the second."""
    found = platform.post("/v1/recommendations", {"user_id": person, "n": 5}, kind="server")
    return [item["item_id"] for item in found["items"]]


def test_a_shop_that_lost_its_disk_comes_back_from_a_backup_as_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data"
    platform = start(data)
    try:
        shop = TeaShop(platform)
        shop.open_doors()
        eventually(lambda: platform.customer(f"user_id:{shop.people[-1]}"))
        shop.consent(shop.people)
        segment = shop.segment()
        shop.trained()
        shop.campaign(segment["segment_id"])
        eventually(lambda: platform.get("/v1/log")["intake_rows"] == 0)
        before = seen(platform, shop)
        file = Path(zhike("backup", "--quiet", "--data", str(data)).strip())
        keys = platform._keys
    finally:
        zhike("stop", "--data", str(data))
    lose(data)

    told = zhike("restore", str(file), "--data", str(data))
    assert "restored as written" in told
    platform = start(data)
    try:
        platform._keys.update(keys)  # they are in the backup: as hashes that still let their owners in
        assert platform.get("/v1/shop")["name"] == "茶铺"
        eventually(lambda: platform.get("/v1/models", limit=1)["items"])
        after = seen(platform, shop)
        again = Path(zhike("backup", "--quiet", "--to", str(tmp_path / "again"), "--data", str(data)).strip())
    finally:
        zhike("stop", "--data", str(data))
    assert json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True)
    counted, then = Reader(again).manifest.rows(), Reader(file).manifest.rows()
    moving = {"segmentation.recompute_job", "segmentation.score_basis"}  # the restarted workers' own
    assert {name: rows for name, rows in counted.items() if name not in moving} == {
        name: rows for name, rows in then.items() if name not in moving
    }
