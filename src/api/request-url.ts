/** A request's path and query, read from its URL as it was sent. */

import type { FastifyRequest } from 'fastify';

/** `?verbose`, as kube-apiserver's health checks take it. */
export function isVerbose(request: FastifyRequest): boolean {
  const value = queryOf(request).get('verbose');
  return value !== null && value !== 'false' && value !== '0';
}

export function queryOf(request: FastifyRequest): URLSearchParams {
  const mark = request.url.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : request.url.slice(mark + 1));
}

export function pathOf(request: FastifyRequest): string {
  const mark = request.url.indexOf('?');
  return mark === -1 ? request.url : request.url.slice(0, mark);
}
