/** Runs mocha as `npm test` does. In: the limit in milliseconds and mocha's arguments; out: its exit code. */

import { runMocha } from '../../../scripts/run-mocha.ts';

const [limitMs, ...args] = process.argv.slice(2);
process.exitCode = await runMocha({ args, env: process.env, limitMs: Number(limitMs) });
