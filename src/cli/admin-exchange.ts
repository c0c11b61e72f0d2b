/**
 * One request to the admin API and its answer, over HTTP or HTTPS. An API that does not answer, in time or as itself, is a CommandFailure that
 * says what was tried; nothing larger than a page of a list is read.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type ErrorCode, errorMessage, type Where } from '../core/errors.ts';
import { failed, unreachable } from './failure.ts';

/** The answer's size, at most: a list comes in pages, so more than this is not ours. */
const maxAnswerBytes = 64 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Exchange {
  readonly method: string;
  readonly target: URL;
  readonly token: string | undefined;
  /** 0: none, as kubectl means it. */
  readonly timeoutMs: number;
  readonly body: string | undefined;
}

/** @throws CommandFailure FW-CLI-010 */
export function exchange({ method, target, token, timeoutMs, body }: Exchange): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/yaml';
  const open = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(notAnswering(target, error));
    const limit = timeoutMs === 0 ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    const outgoing = open(target, { method, headers, ...limit, agent: false });
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), fail);
    });
    outgoing.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function notAnswering(target: URL, error: unknown): Error {
  // node:http reports the timeout's signal as an AbortError; nothing else aborts a request.
  const isTimeout = error instanceof Error && error.name === 'AbortError';
  // A connection tried over several addresses fails with an AggregateError whose own message is empty.
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = isTimeout ? 'it did not answer in time' : errorMessage(error) || code;
  return unreachable(
    {
      code: 'FW-CLI-010',
      message: `the admin API at ${target.origin} does not answer: ${why}`,
      hint: 'Start the pilot with `fairway serve`, or name its address with --admin URL or FAIRWAY_ADMIN',
    },
    { cause: error },
  );
}

/** @throws CommandFailure FW-CLI-011 */
export function readJson(answer: Answer, base: URL): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    throw unreachable(
      {
        code: 'FW-CLI-011',
        message: `what answers at ${base.origin} is not Fairway's admin API`,
        hint: 'Name the admin address of the pilot with --admin URL or FAIRWAY_ADMIN',
      },
      { cause: error },
    );
  }
}

/** What to throw for an answer that is no success: the API's own error where it says one. */
export function refusal(answer: Answer, base: URL): Error {
  const parsed = readJson(answer, base);
  if (typeof parsed === 'object' && parsed !== null && 'code' in parsed && 'message' in parsed) {
    const { code, message, hint, where } = parsed as { code: ErrorCode; message: string; hint?: string; where?: Where };
    return failed({ code, message, hint: hint ?? '', where: where ?? {} });
  }
  return failed({
    code: 'FW-CLI-012',
    message: `the admin API at ${base.origin} answered with status ${answer.status}`,
    hint: 'Check that the command and the pilot are of one version, with `fairway version`',
  });
}
