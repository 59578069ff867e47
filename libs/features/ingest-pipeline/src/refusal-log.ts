// What was refused, by whom and why: shown by `vna status --refused`. Written in batches; while the database is away the entries
// wait in memory up to a bound (each one is in the log as well).
import type { ControlDatabase } from '@perennia/persistence';
import { parseTraceparent, type Clock, type Logger, type Metrics } from '@perennia/telemetry';
import { v7 as uuidv7 } from 'uuid';
import type { ReceiveContext } from './receive-context.js';
import type { Refusal } from './refusal.js';
import { refusalStatuses } from './refusal-code.js';

const FLUSH_INTERVAL_MS = 250;
const MAX_WAITING = 10_000;

interface RefusalRow {
  refusal_id: string;
  tenant_id: string;
  refused_at: string;
  road: string;
  status: string;
  reason_code: string;
  reason: string;
  source: object;
  sop_class_uid: string | null;
  sop_instance_uid: string | null;
}

export class RefusalLog {
  private waiting: RefusalRow[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly refused;

  constructor(
    private readonly control: ControlDatabase,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.refused = metrics.counter('vna_objects_refused_total', 'Objects that were not stored', ['road', 'reason']);
  }

  record(refusal: Refusal, context: ReceiveContext, uids: { sopClassUid?: string; sopInstanceUid?: string }): void {
    const { reasonCode: reason_code, message: reason } = refusal;
    const { road } = context;
    const status = refusalStatuses[reason_code].dimseStatus.toString(16).toUpperCase().padStart(4, '0');
    this.refused.inc({ road, reason: reason_code });
    const cause = refusal.cause instanceof Error && reason_code === 'INTERNAL' ? { err: refusal.cause.message, stack: refusal.cause.stack } : {};
    const trace = context.traceparent === undefined ? undefined : parseTraceparent(context.traceparent);
    this.logger.warn({ road, status, reasonCode: reason_code, ...cause, ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }) }, 'object refused');
    if (this.waiting.length >= MAX_WAITING) return;
    this.waiting.push({
      refusal_id: uuidv7(),
      tenant_id: context.profile.tenantId,
      refused_at: new Date(this.clock.nowMs()).toISOString(),
      road,
      status,
      reason_code,
      reason,
      source: { profile: context.profile.name, ...context.source },
      sop_class_uid: uids.sopClassUid?.slice(0, 64) ?? null,
      sop_instance_uid: uids.sopInstanceUid?.slice(0, 64) ?? null,
    });
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const rows = this.waiting.splice(0, 1000);
    if (rows.length === 0) return;
    try {
      await this.control.query(
        `insert into control.refusal (refusal_id, tenant_id, refused_at, road, status, reason_code, reason, source, sop_class_uid, sop_instance_uid)
         select refusal_id, tenant_id, refused_at, road, status, reason_code, reason, source, sop_class_uid, sop_instance_uid
         from jsonb_populate_recordset(null::control.refusal, $1::jsonb) on conflict do nothing`,
        [JSON.stringify(rows)],
      );
    } catch (error) {
      this.waiting.unshift(...rows.slice(0, MAX_WAITING - this.waiting.length));
      this.logger.warn({ err: (error as Error).message, waiting: this.waiting.length }, 'refusals wait for the database');
    }
    if (this.waiting.length > 0) this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS * 4).unref();
  }
}
