// Get-or-create of patients in the control plane: one patient per (tenant, issuer, Patient ID), however many processes meet it at once.
// Ids follow from the identifier, so two who create the same patient create the same row; an identifier that is assigned already (by
// an HL7 feed, say) names its patient. An image without Patient ID belongs to a patient of its study's own: nothing says that two such
// studies are of one person.
import { surrogateId } from '@perennia/contracts';
import type { ControlDatabase, SqlRunner } from '@perennia/persistence';

export interface PatientIdentity {
  tenantId: string;
  /** Patient ID and its issuer as received; the issuer is null when the images name none. */
  identifier: string | null;
  issuer: string | null;
  /** Used when there is no Patient ID. */
  studyInstanceUid: string;
  /** What a new patient is given. */
  name: string | null;
  searchName: string | null;
  birthDate: string | null;
  sex: string | null;
}
export interface ResolvedPatient {
  patientId: string;
  version: number;
  identifier: string | null;
  issuer: string | null;
}

const MAX_CACHED = 50_000;

interface IssuerRow {
  tenant_id: string;
  local_namespace: string;
  issuer_id: string;
}
interface WantedPatient {
  key: string;
  tenant_id: string;
  patient_id: string;
  issuer_id: string | null;
  value: string | null;
  name: string | null;
  search_name: string | null;
  birth_date: string | null;
  sex: string | null;
}

const FIND_ISSUERS = `
select i.tenant_id, i.local_namespace, i.issuer_id
from json_to_recordset($1::json) as r (tenant_id text, local_namespace text)
join control.issuer i on i.tenant_id = r.tenant_id and i.local_namespace = r.local_namespace`;

const CREATE_ISSUERS = `
insert into control.issuer (issuer_id, tenant_id, local_namespace)
select issuer_id, tenant_id, local_namespace from json_to_recordset($1::json) as r (issuer_id uuid, tenant_id text, local_namespace text)
on conflict do nothing`;

const FIND_PATIENTS = `
with r as materialized (select * from json_to_recordset($1::json) as r (key text, tenant_id text, patient_id uuid, issuer_id uuid, value text))
select r.key, p.patient_id as "patientId", p.version from r
join control.patient_identifier i on i.tenant_id = r.tenant_id and i.value = r.value and i.issuer_id = r.issuer_id and i.active
join control.patient p on p.patient_id = i.patient_id
union all
select r.key, p.patient_id, p.version from r join control.patient p on p.patient_id = r.patient_id where r.value is null`;

const CREATE_PATIENTS = `
insert into control.patient (patient_id, tenant_id, name, search_name, birth_date, sex, surviving_id)
select patient_id, tenant_id, name, search_name, birth_date, sex, patient_id
from json_to_recordset($1::json) as r (patient_id uuid, tenant_id text, name text, search_name text, birth_date text, sex text)
on conflict do nothing`;

const CREATE_IDENTIFIERS = `
insert into control.patient_identifier (tenant_id, issuer_id, value, patient_id)
select tenant_id, issuer_id, value, patient_id
from json_to_recordset($1::json) as r (tenant_id text, issuer_id uuid, value text, patient_id uuid) where value is not null
on conflict (tenant_id, value, issuer_id) where active do nothing`;

export class PatientDirectory {
  private readonly patients = new Map<string, ResolvedPatient>();
  private readonly issuers = new Map<string, string>();

  constructor(private readonly control: ControlDatabase) {}

  /** One patient per identity, in the same order. */
  async resolve(identities: readonly PatientIdentity[]): Promise<ResolvedPatient[]> {
    const missing = new Map<string, PatientIdentity>();
    for (const identity of identities) {
      const key = identityKey(identity);
      if (!this.patients.has(key)) missing.set(key, identity);
    }
    const found = missing.size > 0 ? await this.load(missing) : new Map<string, ResolvedPatient>();
    const resolved = identities.map((identity) => found.get(identityKey(identity)) ?? this.patients.get(identityKey(identity))!);
    this.remember(found);
    return resolved;
  }

  private async load(missing: ReadonlyMap<string, PatientIdentity>): Promise<Map<string, ResolvedPatient>> {
    await this.loadIssuers([...missing.values()]);
    // Sorted: concurrent creators wait for each other in the same order.
    const wanted = [...missing].map(([key, identity]) => this.wantedPatient(key, identity)).toSorted((a, b) => (a.patient_id < b.patient_id ? -1 : 1));
    const found = await findPatients(this.control, wanted);
    const absent = wanted.filter(({ key }) => !found.has(key));
    if (absent.length > 0) {
      await this.control.transaction(async (sql) => {
        await sql.prepared(CREATE_PATIENTS, [JSON.stringify(absent)]);
        await sql.prepared(CREATE_IDENTIFIERS, [JSON.stringify(absent)]);
      });
      for (const [key, patient] of await findPatients(this.control, absent)) found.set(key, patient);
    }
    return new Map([...found].map(([key, patient]) => {
      const { identifier, issuer } = missing.get(key)!;
      return [key, { ...patient, identifier, issuer }];
    }));
  }

  private async loadIssuers(identities: readonly PatientIdentity[]): Promise<void> {
    const wanted = new Map<string, IssuerRow>();
    for (const { tenantId, issuer, identifier } of identities) {
      const local_namespace = issuer ?? '';
      const key = issuerKey(tenantId, local_namespace);
      if (identifier !== null && !this.issuers.has(key)) wanted.set(key, { tenant_id: tenantId, local_namespace, issuer_id: surrogateId(tenantId, `issuer ${local_namespace}`) });
    }
    if (wanted.size === 0) return;
    const rows = [...wanted.keys()].toSorted().map((key) => wanted.get(key)!);
    await this.rememberIssuers(rows);
    const absent = rows.filter(({ tenant_id, local_namespace }) => !this.issuers.has(issuerKey(tenant_id, local_namespace)));
    if (absent.length === 0) return;
    await this.control.query(CREATE_ISSUERS, [JSON.stringify(absent)]);
    await this.rememberIssuers(absent);
  }

  private async rememberIssuers(rows: readonly IssuerRow[]): Promise<void> {
    const found = await this.control.prepared<IssuerRow>(FIND_ISSUERS, [JSON.stringify(rows)]);
    for (const { tenant_id, local_namespace, issuer_id } of found) this.issuers.set(issuerKey(tenant_id, local_namespace), issuer_id);
  }

  private wantedPatient(key: string, identity: PatientIdentity): WantedPatient {
    const { tenantId, identifier, issuer, name, searchName, birthDate, sex } = identity;
    return {
      key, tenant_id: tenantId, patient_id: surrogateId(tenantId, `patient ${key}`), value: identifier,
      issuer_id: identifier === null ? null : this.issuers.get(issuerKey(tenantId, issuer ?? ''))!,
      name, search_name: searchName, birth_date: birthDate, sex,
    };
  }

  private remember(found: ReadonlyMap<string, ResolvedPatient>): void {
    for (const [key, patient] of found) this.patients.set(key, patient);
    for (const key of this.patients.keys()) {
      if (this.patients.size <= MAX_CACHED) return;
      this.patients.delete(key);
    }
  }
}

const issuerKey = (tenantId: string, localNamespace: string): string => `${tenantId}/${localNamespace}`;

/** Different for different identities, whatever characters they contain. */
function identityKey({ tenantId, identifier, issuer, studyInstanceUid }: PatientIdentity): string {
  return JSON.stringify(identifier === null ? [tenantId, studyInstanceUid] : [tenantId, issuer ?? '', identifier]);
}

async function findPatients(sql: SqlRunner, wanted: readonly WantedPatient[]): Promise<Map<string, { patientId: string; version: number }>> {
  const found = await sql.prepared<{ key: string; patientId: string; version: number }>(FIND_PATIENTS, [JSON.stringify(wanted)]);
  return new Map(found.map(({ key, patientId, version }) => [key, { patientId, version }]));
}
