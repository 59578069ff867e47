#!/usr/bin/env python3
"""Reads a pack of the archive without the archive (docs/formats/pack.md). Python 3.8 or newer, nothing to install.

  pack-reader.py FILE.pack              list the instances, one a line
  pack-reader.py --verify FILE.pack     compare every object with both of its digests
  pack-reader.py --extract DIR FILE.pack   verify, and write each as DIR/<SOP Instance UID>.dcm
"""
import argparse
import hashlib
import json
import os
import struct
import sys

CHUNK = 1 << 20


def read_index(pack):
    size = pack.seek(0, os.SEEK_END)
    if size < 64:
        raise ValueError("too short to be a pack")
    pack.seek(size - 64)
    magic, version, count, offset, length, digest = struct.unpack("<8sIIQQ32s", pack.read(64))
    if magic != b"PRNPACK\n":
        raise ValueError("no footer of a pack")
    if version != 1:
        raise ValueError(f"unknown format version {version}")
    if offset + length + 64 != size:
        raise ValueError("the footer does not fit the size of the file")
    pack.seek(offset)
    index = pack.read(length)
    if hashlib.sha256(index).digest() != digest:
        raise ValueError("the index does not match its digest")
    entries = [json.loads(line) for line in index.decode("utf-8").split("\n")[:-1]]
    if len(entries) != count:
        raise ValueError("the index has another number of lines than the footer says")
    return entries


def check(pack, entry, target=None):
    """Both digests of one object; copies it to `target` on the way."""
    if entry["encryption"] != "none":
        raise ValueError(f"unknown encryption {entry['encryption']}")
    whole, dataset, done = hashlib.sha256(), hashlib.sha256(), 0
    pack.seek(entry["offset"])
    while done < entry["length"]:
        data = pack.read(min(CHUNK, entry["length"] - done))
        if not data:
            raise ValueError("the file ends within an object")
        whole.update(data)
        dataset.update(data[max(0, entry["datasetOffset"] - done):])
        if target:
            target.write(data)
        done += len(data)
    return whole.hexdigest() == entry["objectSha256"] and dataset.hexdigest() == entry["datasetSha256"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--extract", metavar="DIR")
    parser.add_argument("pack")
    options = parser.parse_args()
    damaged = 0
    with open(options.pack, "rb") as pack:
        for entry in read_index(pack):
            uid, good = entry["sopInstanceUid"], True
            if options.extract:
                name = "".join(c for c in uid if c in "0123456789.") + ".dcm"
                with open(os.path.join(options.extract, name), "xb") as target:
                    good = check(pack, entry, target)
            elif options.verify:
                good = check(pack, entry)
            damaged += not good
            print(uid, entry["offset"], entry["length"], entry["objectSha256"], "" if good else "DAMAGED")
    return 1 if damaged else 0


if __name__ == "__main__":
    sys.exit(main())
