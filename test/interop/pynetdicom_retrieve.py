"""C-MOVE and C-GET with pynetdicom, which is also the destination.

Usage: pynetdicom_retrieve.py HOST PORT REQUEST
REQUEST is JSON:
  operation     "move" or "get"
  model         "study", "patient" or "patientstudy"
  identifier    DICOM JSON
  aet           our AE title; default PYNETDICOM
  destination   AE title of the destination (move); it listens on listenPort as that AE title
  listenPort    TCP port of the destination; none: nobody listens
  classes       SOP class UIDs that are taken; default CT
  syntaxes      transfer syntax UIDs that are taken; default explicit and implicit little endian
  refuse        {SOP Instance UID: status} that the destination answers
  abortAt       number of the object at which the destination aborts, once
  delay         seconds for each object
  pixels        true: the digest of Pixel Data is told too
  cancelAfter   number of pending responses after which C-CANCEL is sent
Prints {"statuses": [{"status", "remaining", "completed", "failed", "warning", "failedUids", "comment"}], "received": [{"uid", "sha256", "syntax", "originator", "message"}]}
"""
import hashlib
import json
import sys
import threading
import time

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom import sop_class

MODELS = {
    "study": "StudyRootQueryRetrieveInformationModel",
    "patient": "PatientRootQueryRetrieveInformationModel",
    "patientstudy": "PatientStudyOnlyQueryRetrieveInformationModel",
}
CT = "1.2.840.10008.5.1.4.1.1.2"
received = []
lock = threading.Lock()
aborted = threading.Event()


def handler(request):
    def store(event):
        with lock:
            number = len(received) + 1
        if request.get("abortAt") == number and not aborted.is_set():
            aborted.set()
            event.assoc.abort()
            return 0xA700
        time.sleep(request.get("delay", 0))
        data = event.request.DataSet.getvalue()
        uid = str(event.request.AffectedSOPInstanceUID)
        status = request.get("refuse", {}).get(uid, 0)
        if status == 0:
            with lock:
                received.append({
                    "uid": uid,
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "syntax": str(event.context.transfer_syntax),
                    "originator": str(event.request.MoveOriginatorApplicationEntityTitle or "").strip(),
                    "message": event.request.MoveOriginatorMessageID,
                    **({"pixels": hashlib.sha256(event.dataset.PixelData).hexdigest()} if request.get("pixels") else {}),
                })
        return status
    return store


def main(host, port, request):
    classes = request.get("classes", [CT])
    syntaxes = request.get("syntaxes", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
    model = getattr(sop_class, MODELS[request["model"]] + request["operation"].capitalize())
    identifier = Dataset.from_json(request["identifier"])
    ae = AE(ae_title=request.get("aet", "PYNETDICOM"))
    ae.add_requested_context(model)
    handlers = [(evt.EVT_C_STORE, handler(request))]
    server = None
    roles = []
    if request["operation"] == "get":
        for each in classes:
            ae.add_requested_context(each, syntaxes)
            roles.append(build_role(each, scp_role=True))
    elif request.get("listenPort"):
        scp = AE(ae_title=request["destination"])
        scp.maximum_associations = 20
        for each in classes:
            scp.add_supported_context(each, syntaxes)
        server = scp.start_server(("127.0.0.1", request["listenPort"]), block=False, evt_handlers=handlers)
    get = request["operation"] == "get"
    assoc = ae.associate(host, int(port), ae_title="PERENNIA", ext_neg=roles, evt_handlers=handlers if get else [])
    assert assoc.is_established, "no association"
    if get:
        answers = assoc.send_c_get(identifier, model, msg_id=9)
    else:
        answers = assoc.send_c_move(identifier, request["destination"], model, msg_id=9)
    statuses = []
    for status, failed in answers:
        if not status:
            statuses.append({"status": "none"})
            break
        uids = [] if failed is None else failed.get("FailedSOPInstanceUIDList", [])
        statuses.append({
            "status": f"{status.Status:04X}",
            "remaining": status.get("NumberOfRemainingSuboperations"),
            "completed": status.get("NumberOfCompletedSuboperations"),
            "failed": status.get("NumberOfFailedSuboperations"),
            "warning": status.get("NumberOfWarningSuboperations"),
            "failedUids": sorted([str(uids)] if isinstance(uids, str) else [str(uid) for uid in uids or []]),
            "comment": status.get("ErrorComment", ""),
        })
        if len(statuses) == request.get("cancelAfter"):
            assoc.send_c_cancel(9, query_model=model)
    assoc.release()
    if server:
        server.shutdown()
    print(json.dumps({"statuses": statuses, "received": received}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
