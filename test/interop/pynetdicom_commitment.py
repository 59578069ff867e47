"""Storage commitment with pynetdicom: asks, and takes the results.

Usage: pynetdicom_commitment.py HOST PORT REQUEST
REQUEST is JSON:
  aet          our AE title
  listenPort   where results are taken; none: nowhere
  transaction  Transaction UID
  references   [[SOP Class UID, SOP Instance UID], ...]
  times        how often it is asked; default 1
  wait         seconds to wait for results
  results      how many are waited for; default 1
Prints {"statuses": ["0000", ...], "events": [{"type", "transaction", "committed": [...], "failed": {UID: reason}, "own": bool}]}; own: on an association of the archive
"""
import json
import sys
import threading
import time

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel as MODEL, StorageCommitmentPushModelInstance as INSTANCE

events = []
lock = threading.Lock()


def taken(own):
    def handle(event):
        info = event.event_information
        with lock:
            events.append({
                "type": event.event_type,
                "transaction": str(info.TransactionUID),
                "committed": sorted(str(each.ReferencedSOPInstanceUID) for each in info.get("ReferencedSOPSequence", [])),
                "failed": {str(each.ReferencedSOPInstanceUID): f"{each.FailureReason:04X}" for each in info.get("FailedSOPSequence", [])},
                "own": own,
            })
        return 0x0000, None
    return handle


def main(host, port, request):
    server = None
    if request.get("listenPort"):
        scp = AE(ae_title=request["aet"])
        scp.add_supported_context(MODEL, scu_role=True, scp_role=True)
        server = scp.start_server(("127.0.0.1", request["listenPort"]), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, taken(True))])
    ae = AE(ae_title=request["aet"])
    ae.add_requested_context(MODEL)
    assoc = ae.associate(host, int(port), ae_title="PERENNIA", evt_handlers=[(evt.EVT_N_EVENT_REPORT, taken(False))])
    assert assoc.is_established, "no association"
    asked = Dataset()
    asked.TransactionUID = request["transaction"]
    asked.ReferencedSOPSequence = []
    for sop_class, instance in request["references"]:
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class
        item.ReferencedSOPInstanceUID = instance
        asked.ReferencedSOPSequence.append(item)
    statuses = []
    for _ in range(request.get("times", 1)):
        status, _reply = assoc.send_n_action(asked, 1, MODEL, INSTANCE)
        statuses.append(f"{status.Status:04X}" if status else "none")
    deadline = time.time() + request.get("wait", 10)
    while time.time() < deadline and len(events) < request.get("results", 1):
        time.sleep(0.05)
    assoc.release()
    if server:
        server.shutdown()
    print(json.dumps({"statuses": statuses, "events": events}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
