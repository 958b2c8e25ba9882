"""What the workers do."""

from pathlib import Path

from PIL import Image

PICTURES = Path("/pictures")
SIZE = (64, 64)


def thumbnail_path(name):
    """Where a picture's thumbnail is, or will be."""
    return PICTURES / f"{name}.png"


def thumbnail(name):
    """Make the thumbnail of a picture; it is there whole or not at all."""
    with Image.open(PICTURES / name) as picture:
        picture.thumbnail(SIZE)
        half = PICTURES / f"{name}.half"
        picture.save(half, "PNG")
    half.rename(thumbnail_path(name))
