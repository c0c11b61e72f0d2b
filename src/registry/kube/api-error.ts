/**
 * What can go wrong with a request to a Kubernetes API, in the few kinds that call for different reactions.
 */

import { errorMessage } from '../../core/errors.ts';

export type ApiErrorKind =
  /** No answer: refused, reset, timed out, name not found. */
  | 'unreachable'
  /** The other end's certificate is not one that the kubeconfig trusts. */
  | 'untrusted'
  /** The credential could not be made (a file is missing, a plugin failed). */
  | 'credential'
  /** 401. */
  | 'unauthorized'
  /** 403. */
  | 'forbidden'
  /** 404. */
  | 'not-found'
  /** 409. */
  | 'conflict'
  /** 410, as an HTTP status or as an event: the resource version or the page is too old. */
  | 'expired'
  /** 400, 405, 422: asking again will not help. */
  | 'invalid'
  /** 429. */
  | 'throttled'
  /** 5xx. */
  | 'server'
  /** An answer that is not what the API is said to answer. */
  | 'malformed';

export class ApiError extends Error {
  readonly kind: ApiErrorKind;
  /** HTTP status; 0 where there was none. */
  readonly status: number;
  /** When the API wishes to be asked again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ApiErrorKind,
    message: string,
    details: { status?: number; retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.status = details.status ?? 0;
    this.retryAfterMs = details.retryAfterMs;
  }
}

function kindOfStatus(status: number): ApiErrorKind {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 409:
      return 'conflict';
    case 410:
      return 'expired';
    case 429:
      return 'throttled';
    default:
      return status >= 500 ? 'server' : status >= 400 ? 'invalid' : 'malformed';
  }
}

/** An API that wishes to be left alone for longer than this is asked again anyway. */
const maxRetryAfterMs = 120_000;

/** From a Kubernetes Status object (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/), or any body. */
export function statusError(status: number, body: unknown, retryAfter?: string): ApiError {
  const object = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const details = typeof object['details'] === 'object' && object['details'] !== null ? object['details'] : {};
  const fromBody = (details as Record<string, unknown>)['retryAfterSeconds'];
  const seconds = retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : fromBody;
  const retryAfterMs =
    typeof seconds === 'number' && seconds > 0 ? Math.min(seconds * 1000, maxRetryAfterMs) : undefined;
  const message = typeof object['message'] === 'string' ? object['message'].slice(0, 2000) : '';
  return new ApiError(kindOfStatus(status), `${status}${message === '' ? '' : `: ${message}`}`, {
    status,
    retryAfterMs,
  });
}

const untrustedCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** From what a socket or TLS threw. */
export function networkError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  const kind = typeof code === 'string' && untrustedCodes.has(code) ? 'untrusted' : 'unreachable';
  const message = errorMessage(error) || (typeof code === 'string' ? code : 'the connection failed');
  return new ApiError(kind, message);
}
