"""Models as files: whole and unaltered, or refused."""

import json

import numpy as np
import pytest

from services.recommend.artifacts import models as artifacts
from services.recommend.artifacts.models import BrokenArtifact

ARRAYS = {"item_factors": np.arange(6, dtype=np.float32).reshape(3, 2), "popularity": np.ones(3, dtype=np.float32)}


@pytest.fixture
def folder(tmp_path):
    artifacts.configure(f"file://{tmp_path}")
    return tmp_path / "recommend"


def write(version="v1"):
    return artifacts.write(version, {"as_of": "2026-05-20"}, ["longjing", "puer", "cup"], ARRAYS)


def test_what_was_written_is_read_back(folder):
    found = artifacts.read(write())
    assert found.manifest["as_of"] == "2026-05-20"
    assert found.item_ids == ["longjing", "puer", "cup"]
    assert np.array_equal(found.arrays["item_factors"], ARRAYS["item_factors"])


def test_arrays_are_mapped_into_memory_and_not_copied(folder):
    factors = artifacts.read(write()).arrays["item_factors"]
    assert not factors.flags.owndata
    assert not factors.flags.writeable


@pytest.mark.parametrize("name", ["item_factors.npy", "popularity.npy", "item_ids.json", "manifest.json"])
def test_a_model_with_a_file_missing_is_refused(folder, name):
    path = write()
    (folder / "v1" / name).unlink()
    with pytest.raises(BrokenArtifact):
        artifacts.read(path)


@pytest.mark.parametrize("name", ["item_factors.npy", "popularity.npy", "item_ids.json"])
def test_a_model_with_one_byte_changed_is_refused(folder, name):
    path = write()
    content = bytearray((folder / "v1" / name).read_bytes())
    content[-1] ^= 1
    (folder / "v1" / name).write_bytes(content)
    with pytest.raises(BrokenArtifact, match="not what was written"):
        artifacts.read(path)


def test_a_model_of_the_format_before_is_still_read(folder):
    path = write()
    manifest = folder / "v1" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": artifacts.FORMAT - 1}))
    assert artifacts.read(path).item_ids == ["longjing", "puer", "cup"]


def test_a_model_of_a_later_format_is_refused(folder):
    path = write()
    manifest = folder / "v1" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(BrokenArtifact, match="format 99"):
        artifacts.read(path)


def test_a_writer_that_dies_leaves_no_model_but_only_rubbish_that_is_swept(folder, monkeypatch):
    kept = write("v1")
    monkeypatch.setattr(artifacts, "_sync_folder", lambda _folder: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write("v2")
    monkeypatch.undo()
    assert sorted(path.name for path in folder.iterdir()) == ["v1", "v2.writing"]
    artifacts.sweep(["v1"])
    assert [path.name for path in folder.iterdir()] == ["v1"]
    assert artifacts.read(kept)


def test_a_store_without_folders_holds_models_too():
    artifacts.configure("memory://models")
    path = write()
    assert np.array_equal(artifacts.read(path).arrays["item_factors"], ARRAYS["item_factors"])
    artifacts.sweep([])
    with pytest.raises(BrokenArtifact):
        artifacts.read(path)
