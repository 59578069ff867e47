// The operations that are performed for a peer. One that is missing is answered 0211, unrecognised operation.
import type { ActionService } from './action-service.js';
import type { EchoService } from './echo-service.js';
import type { EventReportService } from './event-report-service.js';
import type { FindService } from './find-service.js';
import type { GetRequest, MoveRequest, RetrieveService } from './retrieve-service.js';
import type { StoreService } from './store-service.js';

export interface DimseServices {
  readonly echo?: EchoService;
  readonly store?: StoreService;
  readonly find?: FindService;
  readonly move?: RetrieveService<MoveRequest>;
  readonly get?: RetrieveService<GetRequest>;
  readonly action?: ActionService;
  readonly eventReport?: EventReportService;
}
