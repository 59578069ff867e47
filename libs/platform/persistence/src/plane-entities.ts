// The tables of both planes as TypeORM maps them. The queue tables (outbox, consumer_progress, job) are not here: only the
// statements of messaging and jobs touch them.
import { DeadLetterEntity } from './control/entities/dead-letter.entity.js';
import { IssuerEntity } from './control/entities/issuer.entity.js';
import { PatientEntity } from './control/entities/patient.entity.js';
import { PatientIdentifierEntity } from './control/entities/patient-identifier.entity.js';
import { RefusalEntity } from './control/entities/refusal.entity.js';
import { RemoteNodeEntity } from './control/entities/remote-node.entity.js';
import { TenantEntity } from './control/entities/tenant.entity.js';
import { CopyEntity } from './imaging/entities/copy.entity.js';
import { DuplicateEntity } from './imaging/entities/duplicate.entity.js';
import { InstanceEntity } from './imaging/entities/instance.entity.js';
import { RelayPositionEntity } from './imaging/entities/relay-position.entity.js';
import { SegmentEntity } from './imaging/entities/segment.entity.js';
import { SeriesEntity } from './imaging/entities/series.entity.js';
import { SopDirectoryEntity } from './imaging/entities/sop-directory.entity.js';
import { StudyEntity } from './imaging/entities/study.entity.js';
import { StudyChangeEntity } from './imaging/entities/study-change.entity.js';

export const planeEntities = [
  DeadLetterEntity, IssuerEntity, PatientEntity, PatientIdentifierEntity, RefusalEntity, RemoteNodeEntity, TenantEntity,
  CopyEntity, DuplicateEntity, InstanceEntity, RelayPositionEntity, SegmentEntity, SeriesEntity, SopDirectoryEntity,
  StudyEntity, StudyChangeEntity,
];
