"""The committed guest blobs belong to the committed sources, and their image ids to them."""

import runpy
import tomllib
from pathlib import Path

from farm import claim

GUEST = Path(__file__).resolve().parents[2] / "guest"
BUILD = runpy.run_path(str(GUEST / "build.py"))
IMAGES = tomllib.loads((GUEST / "images.toml").read_text())


def test_the_blobs_were_built_from_these_sources():
    assert BUILD["sources"]() == IMAGES["sources"]["digest"], "run python3 guest/build.py"


def test_every_guest_has_a_blob_and_an_image_id():
    names = set(BUILD["guests"]())
    built = {path.stem for path in (GUEST / "blobs").iterdir()}
    assert names == set(IMAGES["images"]) == built
    assert names > {path.stem for path in (GUEST / "src" / "bin").glob("*.rs")}
    assert all(len(image) == len(claim.ZERO) for image in IMAGES["images"].values())
