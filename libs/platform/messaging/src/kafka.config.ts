// Section `kafka`: the event log of a cluster. Without brokers the log is in PostgreSQL.
import { countOption, defineConfig, flagOption, listOption } from '@perennia/config';
import { z } from 'zod';

export class KafkaConfig extends defineConfig(
  'kafka',
  z.object({
    brokers: listOption(z.string().regex(/^[^\s:]+:\d{1,5}$/, 'must be host:port'))
      .default([])
      .meta({ description: 'Some brokers of the cluster. None: the event log is in PostgreSQL', unit: 'list, or text separated by commas', bound: 'host:port each' }),
    partitions: countOption({ meaning: 'Partitions of every topic, chosen once per installation: at most so many copies of a consumer share its work', default: 128, min: 1, max: 1024 }),
    replication: countOption({ meaning: 'Brokers that keep each record', default: 3, min: 1, max: 7 }),
    tls: flagOption('Encrypts connections to the brokers', false),
    caFile: z.string().min(1).optional().meta({ description: 'Authorities that certificates of brokers are signed by; without it those of the system', unit: 'path', bound: 'a readable PEM file' }),
    mechanism: z
      .enum(['scram-sha-256', 'scram-sha-512'])
      .default('scram-sha-512')
      .meta({ description: 'How user and password are proved', unit: 'SASL mechanism', bound: 'scram-sha-256, scram-sha-512' }),
    username: z.string().min(1).optional().meta({ description: 'User of the cluster; without it nobody signs in', unit: 'text', bound: '1 character or more' }),
    password: z.string().min(1).optional().meta({ description: 'Password of that user', unit: 'text', bound: '1 character or more', secret: true }),
  }),
) {}
