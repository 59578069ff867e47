// Step 7 of the way in, the page to read first: receipts become rows. Up to 2,000 receipts of any studies in one go: patients are
// resolved in the control plane, then one transaction of the imaging plane does the rest with a handful of statements.
// Promises: a receipt has its effect exactly once, however often it is delivered; counts follow from rows really inserted; the first
// receipt of a SOP Instance UID is kept and a later one never replaces it silently; one study.changed per study and batch.
import { STUDY_CHANGED, type Envelope, type StudyChanged } from '@perennia/contracts';
import { faultPoint } from '@perennia/fault-points';
import type { OutboxWriter } from '@perennia/messaging';
import type { ImagingDatabase, SqlRunner } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import { v7 as uuidv7 } from 'uuid';
import { decideRoles, type Decisions } from './decide-roles.js';
import { draftRows } from './draft-rows.js';
import type { IncomingInstance } from './incoming-instance.js';
import type { IncomingReceipt } from './incoming-receipt.js';
import { fillEmpty } from './fill-empty.js';
import type { PatientDirectory, PatientIdentity, ResolvedPatient } from './patient-directory.js';
import { claimInstances } from './sql/claim-instances.js';
import { insertDuplicates } from './sql/insert-duplicates.js';
import { insertInstances } from './sql/insert-instances.js';
import { keepTraces } from './sql/keep-traces.js';
import { supersedeInstances } from './sql/supersede-instances.js';
import { upsertSeries } from './sql/upsert-series.js';
import { upsertStudies, type ChangedStudy } from './sql/upsert-studies.js';

/**
 * The commit does not wait for the disk, which reception needs more: what a power cut takes of it the log delivers again, because the
 * progress of the group comes later in the same WAL, and filing, whose commit does wait, makes all before it durable.
 */
const FLUSHED_LATER = 'set local synchronous_commit = off';

export interface IndexedBatch {
  instances: number;
  redundant: number;
  conflicts: number;
  /** Receipts that had their effect before. */
  known: readonly IncomingInstance[];
}

export class IndexBatch {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly patients: PatientDirectory,
    /** null: nobody is told of the changes. */
    private readonly outbox: OutboxWriter | null,
    private readonly clock: Clock,
  ) {}

  async apply(batch: readonly IncomingInstance[]): Promise<IndexedBatch> {
    if (batch.length === 0) return { instances: 0, redundant: 0, conflicts: 0, known: [] };
    const patients = await this.patientsOf(batch);
    const decisions = await this.imaging.transaction(async (sql) => {
      await sql.query(FLUSHED_LATER);
      const decided = decideRoles(batch, await claimInstances(sql, batch));
      const changes = new ChangedStudies();
      changes.add('instances', await this.insert(sql, decided, patients));
      changes.add('instances', await supersedeInstances(sql, decided));
      await keepTraces(sql, batch);
      changes.add('conflict', await insertDuplicates(sql, decided.duplicates));
      await this.outbox?.write(sql, changes.envelopes(this.clock.nowMs()));
      return decided;
    });
    faultPoint('K12');
    const redundant = decisions.duplicates.filter(({ role }) => role === 'redundant').length;
    return { instances: decisions.instances.length, redundant, conflicts: decisions.duplicates.length - redundant, known: decisions.known };
  }

  private async insert(sql: SqlRunner, { instances }: Decisions, patients: ReadonlyMap<string, ResolvedPatient>): Promise<ChangedStudy[]> {
    if (instances.length === 0) return [];
    const rows = draftRows(instances, patients, this.clock.nowMs());
    const newSeries = await upsertSeries(sql, rows.series);
    const studies = await upsertStudies(sql, rows.studies, newSeries);
    await insertInstances(sql, rows.instances);
    return studies;
  }

  /** By study id. The first receipt of a study names its patient; one without Patient ID leaves that to the next. */
  private async patientsOf(batch: readonly IncomingInstance[]): Promise<Map<string, ResolvedPatient>> {
    const identities = new Map<string, PatientIdentity>();
    for (const { studyId, receipt } of batch) {
      const known = identities.get(studyId);
      if (known === undefined || (known.identifier === null && receipt.search.patientId !== null)) identities.set(studyId, identityOf(receipt, known));
    }
    const resolved = await this.patients.resolve([...identities.values()]);
    return new Map([...identities.keys()].map((studyId, index) => [studyId, resolved[index]!]));
  }
}

function identityOf(receipt: IncomingReceipt, earlier: PatientIdentity | undefined): PatientIdentity {
  const { search, tenantId, studyInstanceUid } = receipt;
  const identity: PatientIdentity = {
    tenantId, studyInstanceUid, identifier: search.patientId, issuer: search.patientId === null ? null : search.issuer,
    name: nameOf(receipt), searchName: search.patientName, birthDate: search.birthDate, sex: search.sex,
  };
  if (earlier) fillEmpty(identity, { ...earlier, issuer: identity.issuer });
  return identity;
}

/** The name as it is written in DICOM: up to three groups, PS3.5 §6.2.1. */
function nameOf({ attributes }: IncomingReceipt): string | null {
  const name = attributes.study['00100010']?.Value?.[0] as { Alphabetic?: string; Ideographic?: string; Phonetic?: string } | undefined;
  if (!name) return null;
  return [name.Alphabetic ?? '', name.Ideographic ?? '', name.Phonetic ?? ''].join('=').replace(/=+$/, '');
}

/** The studies that a transaction changed, each with all reasons and its last state. */
class ChangedStudies {
  private readonly changes = new Map<string, { study: ChangedStudy; reasons: Set<StudyChanged['reasons'][number]> }>();

  add(reason: StudyChanged['reasons'][number], studies: readonly ChangedStudy[]): void {
    for (const study of studies) {
      const known = this.changes.get(study.id);
      this.changes.set(study.id, { study, reasons: (known?.reasons ?? new Set()).add(reason) });
    }
  }

  envelopes(nowMs: number): Envelope<StudyChanged>[] {
    const occurredAt = new Date(nowMs).toISOString();
    return [...this.changes.values()].map(({ study, reasons }) => ({
      id: uuidv7(), type: STUDY_CHANGED, version: 1, tenantId: study.tenant_id, key: `${study.tenant_id}/${study.study_instance_uid}`,
      bucket: study.bucket, occurredAt, producer: 'indexing',
      data: {
        studyInstanceUid: study.study_instance_uid, studyVersion: study.version, reasons: [...reasons],
        numberOfSeries: study.number_of_series, numberOfInstances: study.number_of_instances,
      },
    }));
  }
}
