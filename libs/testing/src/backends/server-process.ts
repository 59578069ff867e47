// A server of a test that can be killed and started again on the same data: a process of this machine, or one in a container.

export interface ServerProcess {
  /** @throws with its last words when it ends or is not ready in time */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Killed, and nothing of it is left but its folder. */
  remove(): Promise<void>;
}

export interface ServerProcessOptions {
  /** Folder of its settings and data, the same inside and outside of a container. */
  directory: string;
  port: number;
  environment?: Record<string, string>;
  /** Said in its log when it serves; without it the open port is enough. */
  readyLine?: string;
}
