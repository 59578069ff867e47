"""C-FIND with pynetdicom.

Usage: pynetdicom_find.py HOST PORT REQUEST
REQUEST is JSON: {"model": "study|patient|patientstudy", "identifier": DICOM JSON, "extended": [1, 0, ...], "cancelAfter": n, "aet": "..."}
Prints [{"status": "FF00", "identifier": DICOM JSON or null}, ...] as JSON, the final status last.
"""
import json
import sys

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role  # noqa: F401
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientStudyOnlyQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

MODELS = {
    "study": StudyRootQueryRetrieveInformationModelFind,
    "patient": PatientRootQueryRetrieveInformationModelFind,
    "patientstudy": PatientStudyOnlyQueryRetrieveInformationModelFind,
}


def main(host, port, request):
    model = MODELS[request["model"]]
    ae = AE(ae_title=request.get("aet", "PYNETDICOM"))
    ae.add_requested_context(model)
    ext = []
    if request.get("extended"):
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid = model
        item.service_class_application_information = bytes(request["extended"])
        ext.append(item)
    assoc = ae.associate(host, int(port), ae_title="PERENNIA", ext_neg=ext)
    assert assoc.is_established, "no association"
    answers = []
    for status, identifier in assoc.send_c_find(Dataset.from_json(request["identifier"]), model, msg_id=7):
        if not status:
            answers.append({"status": "none", "identifier": None})
            break
        answers.append({
            "status": f"{status.Status:04X}",
            "comment": status.get("ErrorComment", ""),
            "identifier": identifier.to_json_dict() if identifier is not None else None,
        })
        if len(answers) == request.get("cancelAfter"):
            assoc.send_c_cancel(7, query_model=model)
    assoc.release()
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
