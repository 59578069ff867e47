"""Decodes the first frames of DICOM files with pydicom and OpenJPEG (pylibjpeg), as an independent opinion.

Reads a JSON list of {"path", "out", "frames"} from standard input; writes the frames of each file, little endian and without
any colour transform of its own, end to end to "out"; prints a JSON list with null or what went wrong, in the same order.
"""
import json
import sys

import pydicom
from pydicom.pixels import get_decoder


def decode(path: str, out: str, frames: int) -> None:
    dataset = pydicom.dcmread(path, force=True)
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    with open(out, "wb") as file:
        for index in range(frames):
            pixels, _ = decoder.as_buffer(dataset, raw=True, index=index)
            file.write(bytes(pixels))


results = []
for job in json.load(sys.stdin):
    try:
        decode(**job)
        results.append(None)
    except Exception as error:  # whatever a plugin throws is its opinion
        results.append(str(error))
print(json.dumps(results))
