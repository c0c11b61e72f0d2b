/**
 * The admin API's bearer token, read from a file and read again when the file changes (Kubernetes rotates mounted Secrets in place).
 * What always holds: once a good token was read there is one; a file that is lost or bad later leaves the last one in force, with a warning.
 */

import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { errorMessage, FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

export interface TokenFileLimits {
  /** How often the file is looked at, at most. */
  readonly checkEveryMs: number;
  readonly minLength: number;
  readonly maxBytes: number;
}

export const tokenFileLimits: TokenFileLimits = { checkEveryMs: 1000, minLength: 16, maxBytes: 4096 };

/**
 * Returns a function that gives the token in force.
 * @throws FairwayError FW-API-002 when the file cannot be read or holds no fit token now.
 */
export function openTokenFile(
  path: string,
  clock: Clock,
  logger: Logger,
  limits: TokenFileLimits = tokenFileLimits,
): () => string {
  let stamp = stampOf(path);
  let token = readToken(path, limits);
  let checkedAtMs = clock.monotonic();
  return () => {
    if (clock.monotonic() - checkedAtMs < limits.checkEveryMs) return token;
    checkedAtMs = clock.monotonic();
    try {
      const now = stampOf(path);
      if (now === stamp) return token;
      stamp = now;
      token = readToken(path, limits);
      logger.info('the admin token was read again', { file: path });
    } catch (error) {
      logger.warn('the admin token file cannot be read; the last token stays in force', {
        file: path,
        code: 'FW-API-002',
        hint: 'Make the file readable for the pilot again; it is read whenever it changes.',
        err: errorMessage(error),
      });
    }
    return token;
  };
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs}/${ino}/${size}`;
  } catch (error) {
    throw tokenError(path, errorMessage(error), { cause: error });
  }
}

function readToken(path: string, limits: TokenFileLimits): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw tokenError(path, errorMessage(error), { cause: error });
  }
  if (bytes.length > limits.maxBytes) throw tokenError(path, `it is longer than ${limits.maxBytes} bytes`);
  const token = bytes.toString('utf8').trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw tokenError(path, 'it does not hold one line of printable ASCII');
  if (token.length < limits.minLength)
    throw tokenError(path, `the token has fewer than ${limits.minLength} characters`);
  return token;
}

function tokenError(path: string, why: string, options?: ErrorOptions): FairwayError {
  return new FairwayError(
    {
      code: 'FW-API-002',
      message: `the admin token cannot be used: ${why}`,
      where: { file: path },
      hint: 'Write a random token into the file, as `openssl rand -hex 32` prints one',
    },
    options,
  );
}
