"""C-ECHO and C-STORE of Part 10 files with pynetdicom, each in its own transfer syntax.

Usage: pynetdicom_store.py HOST PORT FILE...   Prints {"path": "status in hex"} as JSON; what cannot be sent gets the reason.
"""
import json
import sys

import pydicom
from pynetdicom import AE
from pynetdicom.sop_class import Verification


def main(host, port, paths):
    statuses = {}
    for path in paths:
        ds = pydicom.dcmread(path, force=True)
        ae = AE(ae_title="PYNETDICOM")
        ae.add_requested_context(Verification)
        ae.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
        assoc = ae.associate(host, int(port), ae_title="PERENNIA")
        if not assoc.is_established:
            statuses[path] = "no association"
            continue
        echo = assoc.send_c_echo()
        assert echo.Status == 0, echo
        try:
            # The path: the file's own bytes are sent, nothing is encoded again.
            status = assoc.send_c_store(path)
            statuses[path] = f"{status.Status:04X}" if status else "no response"
        except Exception as error:  # what this sender cannot send is told, not hidden
            statuses[path] = f"{type(error).__name__}: {error}"
        assoc.release()
    print(json.dumps(statuses))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
