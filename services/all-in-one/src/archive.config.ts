// The options at the top level: where the archive lives, which database, which processes, how far it is open.
import { defineConfig, flagOption, listOption, portOption, sizeOption, textOption } from '@perennia/config';
import { z } from 'zod';
import { roleNames } from './process-groups.js';

export class ArchiveConfig extends defineConfig(
  '',
  z.object({
    data: textOption('Folder of everything the archive keeps; relative to where it is started', './data'),
    databaseUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional()
      .meta({ description: 'PostgreSQL 15 to 18 to use instead of the embedded one', unit: 'URL', bound: 'postgres://user:password@host:port/database', secret: true }),
    pgUser: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Account the embedded PostgreSQL runs as when the archive is started by root', unit: 'account name', bound: 'an existing account' }),
    processes: z
      .literal([1, 3])
      .default(3)
      .meta({ description: 'Processes: 3 keeps reception, background work and web apart; 1 puts all into one', unit: 'count', bound: '1 or 3' }),
    roles: listOption(z.enum(roleNames))
      .refine(({ length }) => length > 0, { message: 'must name at least one' })
      .default([...roleNames])
      .meta({ description: 'Services that run here', unit: 'list, or text separated by commas', bound: roleNames.join(', ') }),
    instance: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be lower case letters, digits and hyphens')
      .optional()
      .meta({ description: 'Name of this copy where several copies of a service run; its own, and the same after a restart', unit: 'text', bound: '1 to 40 lower case letters, digits, hyphens' }),
    logLevel: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .meta({ description: 'Least severe log line that is written', unit: 'level', bound: 'trace, debug, info, warn, error, fatal, silent' }),
    healthHost: textOption('Address that /livez, /readyz and /metrics are bound to; they tell no patient data, and anybody who reaches them can read them', '127.0.0.1'),
    healthPort: portOption('TCP port of /livez, /readyz and /metrics of the whole archive', 8081),
    minimumFree: sizeOption({ meaning: 'Free space of the data folder below which the archive does not start', default: '256MiB', min: '0B', max: '10TiB' }),
    unsafeListen: flagOption('Allows listeners beyond loopback although nobody has to sign in; a warning is repeated every hour', false),
  }),
) {}
