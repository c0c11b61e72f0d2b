/**
 * Errors of the admin API: a coded error with an HTTP status goes in, JSON `{code, message, hint, where}` comes out. Always these four fields,
 * whatever went wrong.
 */

import { type ErrorCode, FairwayError, type Where } from '../core/errors.ts';

export class HttpError extends FairwayError {
  readonly status: number;

  constructor(status: number, code: ErrorCode, message: string, hint: string) {
    super({ code, message, hint, where: {} });
    this.name = 'HttpError';
    this.status = status;
  }
}

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly where: Where;
}

interface FrameworkError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
}

/** Any thrown value as status and body. What is not ours is not shown to the caller: it may hold paths or secrets, and goes to the log. */
export function toErrorResponse(error: unknown): { readonly status: number; readonly body: ErrorBody } {
  if (error instanceof FairwayError) {
    const status = error instanceof HttpError ? error.status : 400;
    return { status, body: { code: error.code, message: error.message, hint: error.hint, where: error.where } };
  }
  const framework = (typeof error === 'object' && error !== null ? error : {}) as Partial<FrameworkError>;
  if (framework.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return body(
      413,
      'FW-API-010',
      'The request body is too large',
      'Send at most 1 MiB; split it into several requests',
    );
  }
  if (framework.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return body(
      415,
      'FW-API-011',
      'The request body has no content type that is read here',
      'Send application/yaml or application/json',
    );
  }
  if (framework.code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return body(400, 'FW-API-012', 'The request body does not have the length it said', 'Send the request again');
  }
  const status = framework.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return body(
      status,
      'FW-API-013',
      framework.message ?? 'Bad request',
      'See docs/cli.md for the paths and their parameters',
    );
  }
  return body(500, 'FW-API-099', 'The pilot failed to answer', "Read the pilot's log, where the cause is written");
}

function body(status: number, code: ErrorCode, message: string, hint: string): ReturnType<typeof toErrorResponse> {
  return { status, body: { code, message, hint, where: {} } };
}
