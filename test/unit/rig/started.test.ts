import assert from 'node:assert/strict';
import { type RigProcess, startProcess } from '../../rig/process.ts';
import { startAll, startedOnce } from '../../rig/started.ts';
import { waitFor } from '../../rig/wait.ts';

const sleep = (): Promise<RigProcess> =>
  startProcess({ name: 'sleep', command: 'sleep', args: ['600'], logFile: '/dev/null' });

describe('starts that fail half-way', () => {
  it('stop what had started beside, also what starts after the failure', async () => {
    const early = await sleep();
    let failed = false;
    const late = waitFor('the failure', () => failed).then(sleep);
    const starts = startAll<readonly RigProcess[]>([
      Promise.resolve(early),
      Promise.reject(new Error('no port')).finally(() => {
        failed = true;
      }),
      late,
    ]);
    await assert.rejects(starts, { message: 'no port' });
    assert.equal(early.running(), false);
    assert.equal((await late).running(), false);
  });

  it('end a process that does not get ready', async () => {
    const child = await sleep();
    await assert.rejects(startedOnce(child, Promise.reject(new Error('not ready'))), { message: 'not ready' });
    assert.equal(child.running(), false);
  });

  it('say why a process ended before it was ready', async () => {
    const child = await startProcess({ name: 'false', command: 'false', args: [], logFile: '/dev/null' });
    await assert.rejects(startedOnce(child, new Promise(() => {})), /false ended \(1\) before it was ready/);
  });
});
