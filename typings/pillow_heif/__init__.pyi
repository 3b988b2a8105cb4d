from typing import TypedDict

from PIL.ImageFile import ImageFile

from . import options as options

class HeifImageFile(ImageFile): ...

class _Info(TypedDict):
    libheif: str
    decoders: dict[str, str]

def libheif_info() -> _Info: ...
