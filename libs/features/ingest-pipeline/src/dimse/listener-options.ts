// What every DICOM listener can be told, for the configuration section of its service.
import { countOption, durationOption, portOption, textOption } from '@perennia/config';
import { z } from 'zod';

/** @param port TCP port where none is set */
export const listenerOptions = (port: number) => ({
  host: textOption('Address the DICOM listener binds; beyond loopback only with listed sources', '127.0.0.1'),
  port: portOption('TCP port of the DICOM listener', port),
  aeTitle: z
    .string()
    .regex(/^[\x20-\x7e]{1,16}$/)
    .default('PERENNIA')
    .meta({ description: 'Called AE title that is served', unit: 'AE title', bound: '1 to 16 characters' }),
  maxAssociations: countOption({ meaning: 'Associations at once', default: 300, min: 1, max: 10_000 }),
  maxAssociationsPerAet: countOption({ meaning: 'Associations at once of one calling AE title', default: 32, min: 1, max: 10_000 }),
  maxPdu: countOption({ meaning: 'Largest P-DATA PDU announced', default: 131_072, min: 4_096, max: 16_777_216, unit: 'bytes' }),
  idleTimeout: durationOption({ meaning: 'Silence after which an association is ended', default: '60s', min: '1s', max: '1h' }),
  shutdownGrace: durationOption({ meaning: 'How long open associations may finish at shutdown', default: '4s', min: '0s', max: '60s' }),
});
