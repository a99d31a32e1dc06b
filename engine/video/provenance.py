"""What a finished file says of itself: made by an AI, from which texts, with which seed.

The IPTC's word for it is the digital source type; it travels as XMP, which image and movie
programs read.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PNG_START = 8 + 25  # signature and IHDR
XMP = """<?xpacket begin="\N{ZERO WIDTH NO-BREAK SPACE}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>
<xmp:CreatorTool>{software}</xmp:CreatorTool>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt>
</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from; ``text`` is what the job was asked for.

    Letters that no file may hold, such as NUL, are written as spaces.
    """

    text: str
    seed: int
    software: str

    @property
    def xmp(self) -> str:
        """The XMP packet."""
        return XMP.format(
            source_type=SOURCE_TYPE,
            software=escape(self.software),
            description=escape(self._description),
        )

    @property
    def _description(self) -> str:
        return NOT_IN_XML.sub(" ", self.text)

    @property
    def tags(self) -> dict[str, str]:
        """Plain names and values, for files that have those."""
        return {
            "Software": self.software,
            "Description": self._description,
            "Seed": str(self.seed),
            "DigitalSourceType": SOURCE_TYPE,
        }


def tagged_png(png: bytes, provenance: Provenance) -> bytes:
    """Return a PNG file with its provenance after the header."""
    texts = {**provenance.tags, "XML:com.adobe.xmp": provenance.xmp}
    chunks = b"".join(_text_chunk(name, text) for name, text in texts.items())
    return png[:PNG_START] + chunks + png[PNG_START:]


def _text_chunk(name: str, text: str) -> bytes:
    """Return an iTXt chunk: UTF-8, not compressed, no language."""
    body = b"iTXt" + name.encode() + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
