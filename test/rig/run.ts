/**
 * `npm run rig`: two real clusters in which pods run, and a pilot over both. In: options (`--help`); out: where the kubeconfigs are, and then it
 * stays until Ctrl-C. With `--exec 'COMMAND'` it runs that with KUBECONFIG set and ends with its exit code.
 */

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findKubernetes } from './kubernetes/binaries.ts';
import { prepareRig, type Rig, startRig } from './rig.ts';
import { type Standard, standardCrds, standards } from './standards.ts';
import { inRigWorld } from './world.ts';

/** What `--mcs` asks of every cluster. */
const mcsRights = join(import.meta.dirname, '../../deploy/remote/mcs.yaml');
const dayMs = 24 * 60 * 60_000;
const usage = `usage: npm run rig -- [options]
  --exec 'COMMAND'      run a shell command inside (\`bash\` is one), with KUBECONFIG (a context per cluster), and end with its exit code
  --clusters NAMES      the clusters, with commas (east,west); the first is the pilot's primary
  --standard NAME       CRDs of ${standards.join(', ')}; may be repeated. mcs also gives names in clusterset.local,
                        and the pilot the rights that its --mcs needs (--pilot-args --mcs)
  --dual-stack          pods have IPv6 addresses too, and Services may
  --manifests PATH      more manifests for every cluster, a file or a folder; may be repeated
  --pilot-args 'ARGS'   more options of fairway serve
  --pilot-user USER     deployed: the rights that deploy/ gives a pilot; admin: all rights (deployed)
  --no-pilot            no pilot and no sidecars
FAIRWAY_RIG_KEEP=1 keeps the logs, and says where.
`;
const say = (message: string): void => {
  process.stderr.write(`rig: ${message}\n`);
};

const values = readOptions();

const wrong = mistake();
if (values.help || wrong !== undefined) {
  if (wrong !== undefined) say(wrong);
  process.stderr.write(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = await inRigWorld({
    script: import.meta.filename,
    limitMs: dayMs,
    say,
    prepare: () => (values.standard as readonly Standard[]).map(standardCrds),
    inside,
  });
}

function mistake(): string | undefined {
  const unknown = values.standard.find((name) => !(standards as readonly string[]).includes(name));
  if (unknown !== undefined) return `no standard ${unknown}: ${standards.join(', ')}`;
  if (!['deployed', 'admin'].includes(values['pilot-user'])) return '--pilot-user is deployed or admin';
  return undefined;
}

async function inside(dir: string, crds: readonly string[]): Promise<number> {
  const user = values['pilot-user'] === 'admin' ? 'admin' : 'deployed';
  const hasMcs = values.standard.includes('mcs');
  const rig = await startRig({
    dir,
    clusters: values.clusters.split(','),
    programs: await prepareRig(say),
    manifests: [...crds, ...(hasMcs ? [mcsRights] : []), ...values.manifests],
    dualStack: values['dual-stack'],
    clusterSetDns: hasMcs,
    pilot: values['no-pilot'] ? false : { args: values['pilot-args'].split(' ').filter(Boolean), user },
  });
  const { kubectl } = await findKubernetes(say);
  const env = {
    ...process.env,
    KUBECONFIG: rig.kubeconfig,
    FAIRWAY_RIG_ADMIN: rig.admin,
    FAIRWAY_RIG_XDS: rig.xds,
    PATH: `${dirname(kubectl)}:${process.env['PATH']}`,
  };
  const code = values.exec === undefined ? await stay(rig, env.PATH) : await run(values.exec, env);
  await rig.stop();
  return code;
}

async function stay(rig: Rig, path: string): Promise<number> {
  say(`KUBECONFIG=${rig.kubeconfig} with contexts ${rig.clusters.map(({ name }) => name).join(', ')}`);
  for (const { name, api } of rig.clusters) say(`${name}: ${api.kubeconfig}`);
  if (rig.pilot() !== undefined) say(`the pilot: xDS ${rig.xds}, admin ${rig.admin}`);
  say('these addresses are only inside; another shell joins (as root) by');
  say(
    `  nsenter --target $(pgrep -nf test/rig/run.ts) --net --mount --pid env KUBECONFIG=${rig.kubeconfig} PATH=${path} bash`,
  );
  say('Ctrl-C ends it');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  return 0;
}

function run(command: string, env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { stdio: 'inherit', env });
    // Ctrl-C reaches the command by the terminal; this process stays to give its exit code.
    process.on('SIGINT', () => {});
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** What the pilot is to be told begins with a dash, which parseArgs takes for an option of its own. */
function readOptions() {
  const args: string[] = [];
  for (const arg of process.argv.slice(2)) {
    if (args.at(-1) === '--pilot-args') args.splice(-1, 1, `--pilot-args=${arg}`);
    else args.push(arg);
  }
  try {
    return parseArgs({
      args,
      options: {
        exec: { type: 'string' },
        clusters: { type: 'string', default: 'east,west' },
        standard: { type: 'string', multiple: true, default: [] },
        manifests: { type: 'string', multiple: true, default: [] },
        'dual-stack': { type: 'boolean', default: false },
        'pilot-args': { type: 'string', default: '' },
        'pilot-user': { type: 'string', default: 'deployed' },
        'no-pilot': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.stderr.write(usage);
    process.exit(2);
  }
}
