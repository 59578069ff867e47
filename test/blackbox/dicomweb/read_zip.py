# What Python finds in a ZIP file: names with the SHA-256 of their bytes, as JSON. Fails when a CRC or length is wrong.
import hashlib
import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    bad = archive.testzip()
    if bad is not None:
        sys.exit(f"damaged: {bad}")
    print(json.dumps({name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}))
