/**
 * The process's log, on stderr: one JSON line per event (ts, level, msg, and fields such as cluster, node, type_url, code), or text for a
 * person at a terminal. The level can be switched while it runs.
 */

import { pino } from 'pino';
import type { LogFields, Logger, LogLevel } from '../core/logger.ts';

export interface ProcessLog {
  readonly logger: Logger;
  readonly level: { get(): LogLevel; set(level: LogLevel): void };
}

export function createLog(
  level: LogLevel,
  format: 'json' | 'text',
  out: { write(line: string): unknown } = process.stderr,
): ProcessLog {
  const base = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => out.write(format === 'json' ? line : asText(line)) },
  );
  return {
    logger: wrap(base),
    level: {
      get: () => base.level as LogLevel,
      set(next) {
        base.level = next;
      },
    },
  };
}

function wrap(base: pino.Logger, fields: LogFields = {}): Logger {
  return {
    debug: (message, more) => base.debug({ ...fields, ...more }, message),
    info: (message, more) => base.info({ ...fields, ...more }, message),
    warn: (message, more) => base.warn({ ...fields, ...more }, message),
    error: (message, more) => base.error({ ...fields, ...more }, message),
    with: (more) => wrap(base, { ...fields, ...more }),
  };
}

/** `12:03:44.120 warn  cluster lost  cluster=west code=FW-KUBE-004`. */
function asText(line: string): string {
  const { level, ts, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${String(ts).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}
