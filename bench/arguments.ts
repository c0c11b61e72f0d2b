/** The bench's command line: words go in, a checked value comes out; what cannot be meant throws `UsageError` with what can be said. */

import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Names of workloads; empty: all. */
  readonly workloads: readonly string[];
  readonly quick: boolean;
  readonly markdown: boolean;
  /** A file to write, in JSON. */
  readonly json?: string;
  /** A folder to write charts into. */
  readonly charts?: string;
  /** A Markdown file with marks, to put the tables into. */
  readonly into?: string;
  /** Another control plane's program, to be measured beside Fairway. */
  readonly peer?: string;
  /** Files of `--json` to show, in place of a run. */
  readonly from: readonly string[];
}

export class UsageError extends Error {}

export const usage = `npm run bench [-- [WORKLOAD…] [--quick] [--peer PATH] [--markdown] [--json FILE] [--charts DIR] [--into FILE] [--from FILE]…]`;

/** `known`: what may be named without a peer; `besidePeer`: what may be named with one. */
export function parseBenchArguments(
  words: readonly string[],
  known: readonly string[],
  besidePeer: readonly string[],
): BenchArguments {
  const { values, positionals } = read(words);
  const { json, charts, into, peer, from = [] } = values;
  for (const [name, value] of Object.entries({ json, charts, into, peer }))
    if (value === '') throw new UsageError(`--${name} names nothing\n${usage}`);
  if (from.length > 0 && (peer !== undefined || values.quick || positionals.length > 0))
    throw new UsageError(
      `--from shows earlier runs: it goes with --markdown, --into, --charts and --json alone\n${usage}`,
    );
  const may = peer === undefined ? known : besidePeer;
  const unknown = positionals.filter((name) => !may.includes(name));
  if (unknown.length > 0) {
    const where = peer === undefined ? '' : ' beside a peer';
    throw new UsageError(`there is no workload ${unknown.join(', ')}${where}; there are: ${may.join(', ')}\n${usage}`);
  }
  return {
    workloads: positionals,
    quick: values.quick,
    markdown: values.markdown,
    from,
    ...(json === undefined ? {} : { json }),
    ...(charts === undefined ? {} : { charts }),
    ...(into === undefined ? {} : { into }),
    ...(peer === undefined ? {} : { peer }),
  };
}

function read(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        json: { type: 'string' },
        charts: { type: 'string' },
        into: { type: 'string' },
        peer: { type: 'string' },
        from: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}
