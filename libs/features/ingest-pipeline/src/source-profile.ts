// Who may send, and what follows from it: tenant, issuer of patient ids, policies. Without any listed source the default profile
// accepts any calling AE from this machine only.
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const entry = (meaning: string, unit: string): { description: string; unit: string } => ({ description: meaning, unit });

export const sourceProfileSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/).meta(entry('Name of the source in logs and lists', 'text')),
  tenantId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/).default('default').meta(entry('Tenant its objects belong to', 'tenant id')),
  callingAets: z.array(z.string().min(1).max(16)).default([]).meta(entry('Calling AE titles; empty: any', 'AE titles')),
  calledAets: z.array(z.string().min(1).max(16)).default([]).meta(entry('Called AE titles; empty: those of the listener', 'AE titles')),
  addresses: z.array(z.string()).default([]).meta(entry('Addresses or CIDR ranges; empty: any', 'IP addresses')),
  issuer: z.string().max(64).optional().meta(entry('Issuer of Patient ID where the object names none', 'text')),
  characterSet: z.string().max(16).optional().meta(entry('Character set where the object names none', 'defined term')),
  acknowledge: z.enum(['durable', 'indexed']).default('durable').meta(entry('C-STORE success when the bytes are durable, or findable too', 'enum')),
  mayRead: z.boolean().default(false).meta(entry('Whether it may search and retrieve too (C-FIND, C-MOVE, C-GET), all that its tenant has', 'boolean')),
  maxMatches: z.int().min(0).max(100_000_000).optional().meta(entry('Matches of one C-FIND of it above which it is refused (A700); 0: none; absent: as set for all', 'count')),
  unknownSopClasses: z.enum(['accept', 'refuse']).default('accept').meta(entry('Private storage classes, which no standard names', 'enum')),
  commitmentReport: z.enum(['new', 'same']).default('new').meta(entry('Where results of storage commitment are told: on an association of the archive, or on that of the request first', 'enum')),
  onConflict: z.enum(['keep-first', 'supersede']).default('keep-first').meta(entry('Known SOP Instance UID with other bytes', 'enum')),
});
export type SourceProfile = z.infer<typeof sourceProfileSchema>;

export const LOOPBACK_PROFILE: SourceProfile = sourceProfileSchema.parse({ name: 'loopback', addresses: ['127.0.0.0/8', '::1'], mayRead: true });

export interface SourceFacts {
  callingAet?: string;
  calledAet?: string;
  address: string;
}

/** The first profile that fits counts. */
export class SourceProfiles {
  private readonly entries: { profile: SourceProfile; addresses: BlockList | null }[];

  constructor(listed: readonly SourceProfile[]) {
    this.entries = (listed.length > 0 ? listed : [LOOPBACK_PROFILE]).map((profile) => ({ profile, addresses: addressList(profile.addresses) }));
  }

  /** @returns the profile, or which fact is not known: the first that no profile accepts, in the order address, called, calling */
  match(facts: SourceFacts): SourceProfile | 'address' | 'calledAet' | 'callingAet' {
    const near = this.entries.filter(({ addresses }) => addresses === null || contains(addresses, facts.address));
    if (near.length === 0) return 'address';
    const called = near.filter(({ profile }) => fits(profile.calledAets, facts.calledAet));
    if (called.length === 0) return 'calledAet';
    return called.find(({ profile }) => fits(profile.callingAets, facts.callingAet))?.profile ?? 'callingAet';
  }

  /** By name: senders on HTTP name no AE title. */
  get(name: string): SourceProfile | undefined {
    return this.entries.find(({ profile }) => profile.name === name)?.profile;
  }
}

function fits(listed: readonly string[], value: string | undefined): boolean {
  return listed.length === 0 || value === undefined || listed.includes(value);
}

function addressList(addresses: readonly string[]): BlockList | null {
  if (addresses.length === 0) return null;
  const list = new BlockList();
  for (const address of addresses) {
    const [network, bits] = address.split('/') as [string, string | undefined];
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(bits), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}
