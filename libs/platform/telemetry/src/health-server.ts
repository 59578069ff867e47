// `/livez`, `/readyz` and `/metrics`, on loopback if nothing else is said. Plain node:http: it must answer when all else is stuck.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HealthRegistry, type HealthReport } from './health-registry.js';

/** Metrics as Prometheus reads them. */
export interface Exposition {
  text(): Promise<string>;
}

const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class HealthServer {
  readonly #server: Server;

  constructor(health: HealthRegistry, metrics: Exposition) {
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const answers: Record<string, () => Promise<void>> = {
        '/livez': async () => sendReport(response, await health.live()),
        '/readyz': async () => sendReport(response, await health.ready()),
        '/metrics': async () => send(response, 200, EXPOSITION_TYPE, await metrics.text()),
      };
      const answer = request.method === 'GET' ? answers[path] : undefined;
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

function sendReport(response: ServerResponse, report: HealthReport): void {
  send(response, report.ok ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
