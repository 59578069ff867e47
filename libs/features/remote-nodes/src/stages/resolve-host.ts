// The addresses of a host name, as every program of this machine is told them (hosts file, resolver).
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { errorCode, StageFailure } from './stage-failure.js';

/** @throws StageFailure */
export async function resolveHost(host: string): Promise<LookupAddress[]> {
  try {
    return await lookup(host, { all: true });
  } catch (error) {
    throw lookupFailure(host, errorCode(error));
  }
}

/** Codes of getaddrinfo. */
export function lookupFailure(host: string, code: string): StageFailure {
  if (code === 'ENOTFOUND') return new StageFailure(`There is no host named ${host}`, 'Correct the name, or use the IP address of the node');
  if (code === 'EAI_AGAIN') return new StageFailure(`The name server did not answer for ${host}`, 'Look at the name servers of this machine, or use the IP address of the node');
  return new StageFailure(`The name ${host} could not be resolved (${code})`, 'Look at the name servers of this machine, or use the IP address of the node');
}

export const lookupLate = (host: string): StageFailure => lookupFailure(host, 'EAI_AGAIN');
