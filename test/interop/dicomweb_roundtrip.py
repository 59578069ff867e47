"""Uses a running archive through dicomweb-client as an application developer would, and compares with what was stored.

Usage: dicomweb_roundtrip.py BASE_URL FILE...   Prints one JSON line of counts; fails loudly on the first difference.
"""
import io
import json
import sys

import pydicom
from dicomweb_client.api import DICOMwebClient


def dataset_bytes(path):
    """The bytes after File Meta Information."""
    with open(path, "rb") as f:
        raw = f.read()
    return raw[144 + int.from_bytes(raw[140:144], "little"):]


def retrieved_bytes(ds):
    raw = ds.buffer.getvalue() if hasattr(ds, "buffer") and isinstance(ds.buffer, io.BytesIO) else None
    return None if raw is None else raw[144 + int.from_bytes(raw[140:144], "little"):]


def main(base, paths):
    client = DICOMwebClient(url=base)
    counts = {"stored": 0, "found": 0, "retrieved": 0, "metadata": 0, "frames": 0, "bulkdata": 0}
    for path in paths:
        ds = pydicom.dcmread(path)
        answer = client.store_instances([ds])
        assert len(answer.ReferencedSOPSequence) == 1, answer
        counts["stored"] += 1
        study, series, sop = ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID

        found = client.search_for_studies(search_filters={"StudyInstanceUID": study})
        assert len(found) == 1 and found[0]["0020000D"]["Value"] == [study], found
        found = client.search_for_instances(study, series, search_filters={"SOPInstanceUID": sop})
        assert len(found) == 1 and found[0]["00080018"]["Value"] == [sop], found
        counts["found"] += 1

        back = client.retrieve_instance(study, series, sop, media_types=(("application/dicom", "*"),))
        assert back.SOPInstanceUID == sop and back.file_meta.TransferSyntaxUID == ds.file_meta.TransferSyntaxUID
        if "PixelData" in ds:
            assert back.PixelData == ds.PixelData
        counts["retrieved"] += 1

        metadata = client.retrieve_instance_metadata(study, series, sop)
        decoded = pydicom.Dataset.from_json(metadata, bulk_data_uri_handler=lambda *_: b"")
        assert decoded.SOPInstanceUID == sop and str(decoded.get("PatientName", "")) == str(ds.get("PatientName", "")), path
        counts["metadata"] += 1

        if "PixelData" not in ds:
            continue
        uri = metadata["7FE00010"].get("BulkDataURI")
        assert uri, "pixel data without BulkDataURI"
        frames = client.retrieve_instance_frames(study, series, sop, frame_numbers=[1], media_types=(("application/octet-stream", "*"),))
        assert len(frames) == 1 and len(frames[0]) > 0
        if not ds.file_meta.TransferSyntaxUID.is_compressed and int(ds.get("NumberOfFrames", 1) or 1) == 1 and ds.BitsAllocated >= 8:
            assert ds.PixelData.startswith(frames[0]), "frame 1 differs"
            bulk = client.retrieve_bulkdata(uri)
            assert bulk[0] == ds.PixelData, "bulkdata differs"
            counts["bulkdata"] += 1
        counts["frames"] += 1
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
