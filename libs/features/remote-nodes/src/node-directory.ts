// The remote nodes of each tenant: kept in control.remote_node, changed by administrators, looked up by services for each request that
// names one. A change made in another process is seen after `cacheMs` at the latest.
import { ConflictError, NotFoundError } from '@perennia/errors';
import { tenantScope, type ControlDatabase } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import { trimmedAeTitle } from './ae-title.js';
import { checkRemoteNode } from './check-remote-node.js';
import type { RemoteNode, RemoteNodeSettings } from './remote-node.js';

export interface NodeDirectoryOptions {
  /** How long what was read of a tenant serves its lookups, in milliseconds. Default 5000; 0: each lookup reads. */
  readonly cacheMs?: number;
}

interface CachedNodes {
  readonly nodes: Promise<ReadonlyMap<string, RemoteNode>>;
  readonly untilMs: number;
}

const DEFAULT_CACHE_MS = 5000;
const COLUMNS = `n.tenant_id as "tenantId", n.ae_title as "aeTitle", n.host, n.port, n.tls, n.description, n.move_callers as "moveCallers",
  n.max_associations as "maxAssociations", n.created_at as "createdAt", n.changed_at as "changedAt"`;
const INSERT = `insert into control.remote_node as n (tenant_id, ae_title, host, port, tls, description, move_callers, max_associations)
  values ($1, $2, $3, $4, $5, $6, $7::text[], $8)`;
const ADD = `${INSERT} on conflict (tenant_id, ae_title) do nothing returning ${COLUMNS}`;
const PUT = `${INSERT} on conflict (tenant_id, ae_title) do update set host = excluded.host, port = excluded.port, tls = excluded.tls, description = excluded.description,
  move_callers = excluded.move_callers, max_associations = excluded.max_associations, changed_at = now() returning ${COLUMNS}`;
const LIST = tenantScope(`select ${COLUMNS} from control.remote_node n where {tenant n} order by n.ae_title collate "C"`);
const REMOVE = tenantScope('delete from control.remote_node n where {tenant n} and n.ae_title = $2 returning n.ae_title');

export class NodeDirectory {
  readonly #cache = new Map<string, CachedNodes>();
  readonly #cacheMs: number;

  constructor(private readonly control: ControlDatabase, private readonly clock: Clock, { cacheMs = DEFAULT_CACHE_MS }: NodeDirectoryOptions = {}) {
    this.#cacheMs = cacheMs;
  }

  /** @throws InvalidInputError; ConflictError when the tenant has a node of this AE title; NotFoundError when there is no such tenant */
  async add(tenantId: string, node: RemoteNodeSettings): Promise<RemoteNode> {
    const added = await this.#write(ADD, tenantId, node);
    if (!added) throw new ConflictError(`There is a remote node ${node.aeTitle} already`, { remedy: 'Remove it first, or replace it' });
    return added;
  }

  /** Adds the node, in the place of the one of this AE title where there is one. @throws InvalidInputError, NotFoundError when there is no such tenant */
  async put(tenantId: string, node: RemoteNodeSettings): Promise<RemoteNode> {
    return (await this.#write(PUT, tenantId, node))!;
  }

  /** In the order of their AE titles, as the database has them now. */
  list(tenantId: string): Promise<RemoteNode[]> {
    return LIST.run<RemoteNode>(this.control, tenantId);
  }

  /** @param aeTitle blanks at either end mean nothing; upper and lower case differ. @throws UnavailableError */
  async find(tenantId: string, aeTitle: string): Promise<RemoteNode | undefined> {
    return (await this.#nodesOf(tenantId)).get(trimmedAeTitle(aeTitle));
  }

  /** The same where there has to be one. @throws NotFoundError, UnavailableError */
  async get(tenantId: string, aeTitle: string): Promise<RemoteNode> {
    const node = await this.find(tenantId, aeTitle);
    if (!node) throw noSuchNode(aeTitle);
    return node;
  }

  /** @throws NotFoundError */
  async remove(tenantId: string, aeTitle: string): Promise<void> {
    const [removed] = await REMOVE.run(this.control, tenantId, [trimmedAeTitle(aeTitle)]);
    this.#cache.delete(tenantId);
    if (!removed) throw noSuchNode(aeTitle);
  }

  async #write(sql: string, tenantId: string, node: RemoteNodeSettings): Promise<RemoteNode | undefined> {
    checkRemoteNode(node);
    const { aeTitle, host, port, tls, description, moveCallers, maxAssociations } = node;
    try {
      const [row] = await this.control.query<RemoteNode>(sql, [tenantId, aeTitle, host, port, tls, description, moveCallers, maxAssociations]);
      this.#cache.delete(tenantId);
      return row;
    } catch (error) {
      if (error instanceof ConflictError && error.details['sqlState'] === FOREIGN_KEY_VIOLATION) throw new NotFoundError(`There is no tenant ${tenantId}`, { cause: error });
      throw error;
    }
  }

  /** All nodes of a tenant are few: one read of them serves every AE title, known or not, and names from the network cannot make it grow. */
  #nodesOf(tenantId: string): Promise<ReadonlyMap<string, RemoteNode>> {
    const nowMs = this.clock.monotonicMs();
    const cached = this.#cache.get(tenantId);
    if (cached && nowMs < cached.untilMs) return cached.nodes;
    const nodes = this.list(tenantId).then((all) => new Map(all.map((node) => [node.aeTitle, node])));
    const entry = { nodes, untilMs: nowMs + this.#cacheMs };
    this.#cache.set(tenantId, entry);
    nodes.catch(() => this.#cache.get(tenantId) === entry && this.#cache.delete(tenantId));
    return nodes;
  }
}

const FOREIGN_KEY_VIOLATION = '23503';

const noSuchNode = (aeTitle: string): NotFoundError =>
  new NotFoundError(`There is no remote node ${aeTitle}`, { remedy: 'List them with "vna node list"; upper and lower case differ' });
