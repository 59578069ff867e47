// The attributes that are kept in the receipt of every instance, by the level they belong to: all that PS3.18 Tables 10.6.3-3
// to 10.6.3-5 want returned, and what worklists, viewers and reconciliation ask for. Patient attributes stand under `study`.
import { lookupTag, type Tag, tagKey, tagOfKeyword } from '@perennia/dicom-data';

export type IndexLevel = 'study' | 'series' | 'instance';
export interface IndexAttribute {
  tag: Tag;
  /** The tag as DICOM JSON writes it. */
  key: string;
  keyword: string;
  level: IndexLevel;
  /** VR of the standard, for implicit VR and for values sent as UN. */
  vr: string;
}

const KEYWORDS: Readonly<Record<IndexLevel, string>> = {
  study: `
    StudyDate StudyTime AccessionNumber IssuerOfAccessionNumberSequence ReferringPhysicianName TimezoneOffsetFromUTC
    StudyDescription ProcedureCodeSequence PhysiciansOfRecord NameOfPhysiciansReadingStudy AdmittingDiagnosesDescription
    PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence PatientBirthDate PatientBirthTime PatientSex
    OtherPatientIDs OtherPatientNames OtherPatientIDsSequence PatientAge PatientSize PatientWeight StudyInstanceUID StudyID
    RequestedProcedureDescription AdmissionID`,
  series: `
    SeriesDate SeriesTime Modality Manufacturer InstitutionName StationName SeriesDescription InstitutionalDepartmentName
    PerformingPhysicianName OperatorsName ManufacturerModelName BodyPartExamined DeviceSerialNumber SoftwareVersions
    ProtocolName PatientPosition SeriesInstanceUID SeriesNumber FrameOfReferenceUID Laterality
    PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepID
    PerformedProcedureStepDescription RequestAttributesSequence`,
  instance: `
    SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID AcquisitionDate ContentDate AcquisitionDateTime AcquisitionTime
    ContentTime AcquisitionNumber InstanceNumber SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns
    BitsAllocated BitsStored PixelRepresentation ConceptNameCodeSequence CompletionFlag VerificationFlag ContentLabel
    ContentDescription DocumentTitle MIMETypeOfEncapsulatedDocument`,
};

/** By tag; asked once for every element of every object. */
export const INDEX_ATTRIBUTES: ReadonlyMap<Tag, IndexAttribute> = new Map(
  (Object.keys(KEYWORDS) as IndexLevel[]).flatMap((level) =>
    KEYWORDS[level].trim().split(/\s+/).map((keyword): [Tag, IndexAttribute] => {
      const tag = tagOfKeyword(keyword)!;
      const vr = lookupTag(tag)!.vr;
      return [tag, { tag, key: tagKey(tag), keyword, level, vr }];
    }),
  ),
);
