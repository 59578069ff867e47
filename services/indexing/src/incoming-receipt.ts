// A receipt as indexing takes it: what a batch merges is parsed, what is only passed on stays as it came. A third of what
// indexing cost was to parse the attributes of instances, to write them as text again, and to collect the garbage of both.
import type { DicomJsonDataset, InstanceReceived } from '@perennia/contracts';

export interface IncomingReceipt extends Omit<InstanceReceived, 'attributes'> {
  attributes: IncomingAttributes;
}
export interface IncomingAttributes {
  /** Those of study and series may be one object for many receipts: never changed. */
  study: DicomJsonDataset;
  series: DicomJsonDataset;
  /** JSON text of a DicomJsonDataset, in UTF-8. */
  instance: Buffer;
}

export function incomingReceipt(received: InstanceReceived): IncomingReceipt {
  const { study, series, instance } = received.attributes;
  return { ...received, attributes: { study, series, instance: Buffer.from(JSON.stringify(instance)) } };
}

/** The receipt as it was written. */
export function wholeReceipt(incoming: IncomingReceipt): InstanceReceived {
  const { study, series, instance } = incoming.attributes;
  return { ...incoming, attributes: { study, series, instance: JSON.parse(instance.toString()) as DicomJsonDataset } };
}
