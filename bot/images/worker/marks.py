"""The mark of an image made by AI: IPTC's digital source type, in XMP.

https://cv.iptc.org/newscodes/digitalsourcetype/
"""

from typing import BinaryIO

from bot.images.headers.searching import contains

_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

GENERATED = "trainedAlgorithmicMedia"
"""AI made all of it."""

COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
"""AI made parts of it, in an image that existed before."""


def find_mark(file: BinaryIO, xmp: bytes) -> str:
    """Return the mark in the XMP or anywhere in the file; `GENERATED` if there is none.

    A C2PA manifest has it in plain text too.
    """
    for known in (COMPOSITE, GENERATED):
        if known.encode() in xmp:
            return known
    file.seek(0)
    return COMPOSITE if contains(file, f"{_TYPES}{COMPOSITE}".encode()) else GENERATED


def as_xmp(mark: str) -> bytes:
    """Return a minimal XMP packet with the mark."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{_TYPES}{mark}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
