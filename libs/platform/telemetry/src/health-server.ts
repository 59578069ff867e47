// `/livez`, `/readyz` and `/metrics`, on loopback if nothing else is said. Plain node:http: it must answer when all else is stuck.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HealthRegistry, type HealthReport } from './health-registry.js';

/** Metrics as Prometheus reads them. */
export interface Exposition {
  text(): Promise<string>;
}

/** What those who run the archive may ask of a process beyond its health; told from strangers by a secret of this start. */
export interface ProcessControl {
  readonly secret: string;
  /** @returns what is sent as JSON; undefined: there is no such thing */
  answer(method: string, path: string): unknown;
}

const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class HealthServer {
  readonly #server: Server;

  constructor(health: HealthRegistry, metrics: Exposition, control?: ProcessControl) {
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const answers: Record<string, () => Promise<void>> = {
        '/livez': async () => sendReport(response, await health.live()),
        '/readyz': async () => sendReport(response, await health.ready()),
        '/metrics': async () => send(response, 200, EXPOSITION_TYPE, await metrics.text()),
      };
      const answer = request.method === 'GET' ? answers[path] : undefined;
      if (!answer && control && request.headers.authorization !== undefined) return answerControl(control, request, path, response);
      if (!answer) return send(response, 404, 'text/plain', 'Not found\n');
      answer().catch(() => send(response, 500, 'text/plain', 'Failed\n'));
    });
    this.#server.requestTimeout = 5000;
    this.#server.maxConnections = 32;
  }

  /** @param port 0 lets the system choose; @returns the port it listens on */
  listen(port: number, host = '127.0.0.1'): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.unref();
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function answerControl({ secret, answer }: ProcessControl, { method = '', headers }: IncomingMessage, path: string, response: ServerResponse): void {
  if (!isSecret(headers.authorization!, secret)) return send(response, 401, 'text/plain', 'Not the secret of this process\n');
  const answered = answer(method, path);
  if (answered === undefined) return send(response, 404, 'text/plain', 'Not found\n');
  send(response, 200, 'application/json', `${JSON.stringify(answered)}\n`);
}

function isSecret(authorization: string, secret: string): boolean {
  const [given, expected] = [Buffer.from(authorization), Buffer.from(`Bearer ${secret}`)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function sendReport(response: ServerResponse, report: HealthReport): void {
  send(response, report.ok ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
