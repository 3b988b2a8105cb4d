from PIL.ImageFile import ImageFile

from . import options as options

class HeifImageFile(ImageFile): ...
