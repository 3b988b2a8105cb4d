"""The mark of a picture that an AI made: IPTC's digital source type, as XMP has it.

https://cv.iptc.org/newscodes/digitalsourcetype/
"""

from typing import BinaryIO

from bot.images.headers.searching import contains

_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

MADE = "trainedAlgorithmicMedia"
"""All of it."""

MADE_INTO = "compositeWithTrainedAlgorithmicMedia"
"""Parts of it, in a picture that was there before."""


def find_mark(file: BinaryIO, xmp: bytes) -> str:
    """The mark that a picture has in its XMP, or anywhere in its file; `MADE` if it has none.

    A C2PA manifest names it in plain letters too.
    """
    for known in (MADE_INTO, MADE):
        if known.encode() in xmp:
            return known
    file.seek(0)
    return MADE_INTO if contains(file, f"{_TYPES}{MADE_INTO}".encode()) else MADE


def as_xmp(mark: str) -> bytes:
    """The smallest XMP packet that says it."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{_TYPES}{mark}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
