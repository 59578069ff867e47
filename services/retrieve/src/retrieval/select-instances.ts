// The instances that a retrieval means, in the order in which their bytes lie.
import type { InstanceDirectory, StoredInstance } from '@perennia/egress';
import type { RetrievalQuery } from './retrieval-query.js';

export async function selectInstances(directory: InstanceDirectory, tenantId: string, { keys }: RetrievalQuery): Promise<StoredInstance[]> {
  const studies = await studiesOf(directory, tenantId, keys);
  const instances: StoredInstance[] = [];
  for (const studyInstanceUid of studies) {
    const only = keys.SERIES?.length === 1 ? { seriesInstanceUid: keys.SERIES[0]! } : {};
    const single = keys.IMAGE?.length === 1 ? { sopInstanceUid: keys.IMAGE[0]! } : {};
    instances.push(...(await directory.instances({ tenantId, studyInstanceUid, ...only, ...single }, 'stored')));
  }
  const [series, images] = [keys.SERIES && new Set(keys.SERIES), keys.IMAGE && new Set(keys.IMAGE)];
  return instances.filter((each) => (!series || series.has(each.seriesInstanceUid)) && (!images || images.has(each.sopInstanceUid)));
}

/** Every key that is given has to fit: a study of another patient is not what was meant. */
async function studiesOf(directory: InstanceDirectory, tenantId: string, keys: RetrievalQuery['keys']): Promise<string[]> {
  const found = keys.STUDY
    ?? (keys.IMAGE && (await directory.studiesOfInstances(tenantId, keys.IMAGE)))
    ?? (keys.SERIES && (await directory.studiesOfSeries(tenantId, keys.SERIES)));
  if (!keys.PATIENT) return [...new Set(found)];
  const ofPatient = await directory.studiesOfPatients(tenantId, keys.PATIENT);
  return found ? [...new Set(found)].filter((study) => ofPatient.includes(study)) : ofPatient;
}
