/** What the server itself refuses, as coded errors and in gRPC's terms. */

import { status } from '@grpc/grpc-js';
import { FairwayError, formatFinding } from '../core/errors.ts';

export function cannotListen(hostPort: string, cause: Error): FairwayError {
  return new FairwayError(
    {
      code: 'FW-XDS-013',
      message: `cannot listen on ${hostPort}: ${cause.message}`,
      where: {},
      hint: 'choose a free address with --xds HOST:PORT',
    },
    { cause },
  );
}

export function tooManyStreams(limit: number): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-007',
    message: `the server has ${limit} streams, which is its limit`,
    where: {},
    hint: 'run more replicas: any of them serves any client',
  });
}

export function drainingError(): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-012',
    message: 'the server is shutting down',
    where: {},
    hint: 'connect again; another replica takes over',
  });
}

const exhausted: ReadonlySet<string> = new Set(['FW-XDS-017', 'FW-XDS-018']);

export function statusError(error: unknown): object {
  if (!(error instanceof FairwayError)) return { code: status.INTERNAL, details: 'FW-XDS-014 internal error' };
  return {
    code: exhausted.has(error.code) ? status.RESOURCE_EXHAUSTED : status.INVALID_ARGUMENT,
    details: formatFinding(error),
  };
}
