/** Not among the tests: all is well, but for a process that nobody holds or ends. */

import { spawn } from 'node:child_process';

it('starts a process and forgets it', () => {
  const child = spawn('sleep', ['602'], { detached: true, stdio: 'ignore' });
  child.unref();
  process.stdout.write(`pids ${child.pid}\n`);
});
