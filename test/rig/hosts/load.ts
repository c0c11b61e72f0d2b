/**
 * A load that loses nothing of what it sees. In: a rate, a target and a host name; out: JSON lines on stdout, one per 100 ms window of
 * start times: `{at, answers: {"200 v1 east": n}, failures: [{at, why}]}`, and at the end `{done, started, answered, failed, skipped}`.
 *
 * Open loop: requests start on time whatever the answers do. Kept connections, no retries. Each request ends exactly once, in an answer
 * or in a failure (no answer in `--timeout-ms`, a reset, an answer that is not whole). SIGTERM ends the starting, waits for what is under way and prints the
 * end.
 */

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    /** `10.96.0.5:80` captured, or the sidecar's own `127.0.0.1:15001` explicit. */
    target: { type: 'string' },
    host: { type: 'string' },
    path: { type: 'string', default: '/' },
    header: { type: 'string', multiple: true, default: [] },
    rate: { type: 'string', default: '100' },
    connections: { type: 'string', default: '16' },
    'timeout-ms': { type: 'string', default: '10000' },
    /** It ends by itself after this, whatever happens. */
    'limit-ms': { type: 'string', default: '300000' },
  },
});
const [address = '', port = '80'] = (values.target ?? '').split(':');
const windowMs = 100;

interface Window {
  answers: Record<string, number>;
  failures: { at: number; why: string }[];
  open: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number(values.connections), scheduling: 'fifo' });
const windows = new Map<number, Window>();
/** `skipped`: requests that this process could not start in time; they say something of the machine, not of the mesh. */
const totals = { started: 0, answered: 0, failed: 0, skipped: 0 };
const headers: Record<string, string> = { host: values.host ?? '' };
for (const header of values.header) {
  const colon = header.indexOf(':');
  headers[header.slice(0, colon).trim()] = header.slice(colon + 1).trim();
}
let stopping = false;

function begin(): void {
  const at = Date.now();
  const key = at - (at % windowMs);
  let window = windows.get(key);
  if (window === undefined) {
    window = { answers: {}, failures: [], open: 0 };
    windows.set(key, window);
  }
  const own = window;
  own.open++;
  totals.started++;
  let ended = false;
  const end = (answer: string | undefined, why: string): void => {
    if (ended) return;
    ended = true;
    own.open--;
    if (answer === undefined) {
      own.failures.push({ at, why });
      totals.failed++;
    } else {
      own.answers[answer] = (own.answers[answer] ?? 0) + 1;
      totals.answered++;
    }
  };
  const outgoing = request({ agent, host: address, port: Number(port), path: values.path, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      if (response.statusCode === 200) {
        try {
          const body = JSON.parse(text);
          end(`200 ${body.version} ${body.cluster}`, '');
        } catch {
          end(undefined, `200 with a body that is not whole: ${text.slice(0, 80)}`);
        }
      } else {
        end(
          undefined,
          `${response.statusCode} ${text.slice(0, 200).trim()} ${response.headers['x-envoy-response-flags'] ?? ''}`.trim(),
        );
      }
    });
    response.on('error', (error) => end(undefined, `while reading the answer: ${error.message}`));
    response.on('aborted', () => end(undefined, 'the answer was cut off'));
  });
  outgoing.setTimeout(Number(values['timeout-ms']), () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', (error) => end(undefined, error.message));
  outgoing.end();
}

/** Prints the windows that are complete. */
function report(all: boolean): void {
  const now = Date.now();
  for (const [at, window] of windows) {
    if (!all && (window.open > 0 || at + windowMs > now)) continue;
    windows.delete(at);
    process.stdout.write(`${JSON.stringify({ at, answers: window.answers, failures: window.failures })}\n`);
  }
}

const startedMs = performance.now();
const perMs = Number(values.rate) / 1000;
let begun = 0;
const ticker = setInterval(() => {
  const due = Math.floor((performance.now() - startedMs) * perMs);
  // A stalled process does not make up for more than a second at once.
  const late = due - begun - Math.ceil(perMs * 1000);
  if (late > 0) {
    totals.skipped += late;
    begun += late;
  }
  for (; begun < due; begun++) begin();
}, 5);
const reporter = setInterval(() => report(false), windowMs);

function stop(): void {
  if (stopping) return;
  stopping = true;
  clearInterval(ticker);
  const waitingSinceMs = performance.now();
  const waiter = setInterval(() => {
    const open = totals.started - totals.answered - totals.failed;
    if (open > 0 && performance.now() - waitingSinceMs < Number(values['timeout-ms']) + 1000) return;
    clearInterval(waiter);
    clearInterval(reporter);
    report(true);
    process.stdout.write(`${JSON.stringify({ done: true, ...totals })}\n`, () => process.exit(0));
  }, 10);
}

process.on('SIGTERM', stop);
setTimeout(stop, Number(values['limit-ms'])).unref();
