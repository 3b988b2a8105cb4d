"""The native decoders that come inside wheels are no older than their last known security fix."""

import re

import pytest
from PIL import features
from pillow_heif import libheif_info

LEAST = {
    "libheif": (1, 23, 6),
    "libde265": (1, 1, 3),
    "libjpeg-turbo": (3, 1, 3),
    "libwebp": (1, 6, 0),
    "libtiff": (4, 7, 1),
    "libavif": (1, 4, 0),
    "zlib-ng": (2, 3, 2),
    "littlecms2": (2, 17),
}
"""CONTRIBUTING.md says how to find what each release fixes. Raise these with every update."""


def read_versions() -> dict[str, str]:
    """The versions that the decoders name themselves."""
    heif = libheif_info()
    return {
        "libheif": heif["libheif"],
        "libde265": heif["decoders"]["libde265"],
        "libjpeg-turbo": str(features.version_feature("libjpeg_turbo")),
        "libwebp": str(features.version_module("webp")),
        "libtiff": str(features.version_codec("libtiff")),
        "libavif": str(features.version_module("avif")),
        "zlib-ng": str(features.version_feature("zlib_ng")),
        "littlecms2": str(features.version_module("littlecms2")),
    }


@pytest.mark.parametrize("decoder", LEAST)
def test_no_decoder_is_older_than_its_last_known_fix(decoder: str) -> None:
    told = read_versions()[decoder]
    found = re.search(r"\d+(\.\d+)+", told)
    assert found, told
    assert tuple(map(int, found[0].split("."))) >= LEAST[decoder]
