/** Not among the tests: a run of it shows what becomes of what a failed hook leaves behind, of a group of its own and of the run's. */

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { startProcess } from '../../rig/process.ts';

describe('a hook that fails half-way', () => {
  before(async () => {
    const { pid } = await startProcess({
      name: 'sleep',
      command: 'sleep',
      args: ['600'],
      logFile: '/dev/null',
    });
    const other = spawn('sleep', ['601'], { detached: true, stdio: 'ignore' });
    createServer().listen(0, '127.0.0.1');
    process.stdout.write(`pids ${pid} ${other.pid}\n`);
    throw new Error('half-way');
  });

  it('is never reached', () => {});
});
