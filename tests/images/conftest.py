"""Images that several tests of conversions share."""

import os

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def noise() -> Image.Image:
    """A picture that is hard to make small."""
    return Image.frombytes("RGB", (600, 400), os.urandom(600 * 400 * 3))
