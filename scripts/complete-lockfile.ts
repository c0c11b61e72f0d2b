/**
 * `node scripts/complete-lockfile.ts [--check]`: gives package-lock.json an entry for every optional platform package that its packages name.
 *
 * npm leaves out those that the registry at hand does not serve (a mirror of one platform), and `npm ci` then refuses the lock as out of
 * sync, everywhere. An added entry has version and platform and no hash: it is skipped on every other platform, and on its own npm fetches it.
 * What always holds: entries that npm wrote are not touched.
 */

import { readFileSync, writeFileSync } from 'node:fs';

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optional?: boolean;
}

const path = 'package-lock.json';
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** From a name such as `@oxlint/binding-linux-arm-gnueabihf`; undefined when it names no platform. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split(/[-/]/);
  const os = systems.filter((word) => words.includes(word));
  const cpu = processors.filter((word) => words.includes(word));
  if (os.length === 0 && cpu.length === 0) return undefined;
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) };
}

/** Where node finds `name` from the package at `from`: in its own node_modules, or in those above. */
function isLocked(packages: ReadonlyMap<string, LockEntry>, from: string, name: string): boolean {
  for (
    let folder = from;
    folder !== '';
    folder = folder.slice(0, Math.max(folder.lastIndexOf('node_modules/') - 1, 0))
  ) {
    if (packages.has(`${folder}/node_modules/${name}`)) return true;
  }
  return packages.has(`node_modules/${name}`);
}

const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> };
const packages = new Map(Object.entries(lock.packages));
const added = new Map<string, LockEntry>();
const unknown: string[] = [];
for (const [from, entry] of packages) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(packages, from, name)) continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d/.test(version)) unknown.push(`${name}@${version}, optional of ${from}`);
    else
      added.set(`node_modules/${name}`, {
        version,
        ...platform,
        ...(entry.dev === true && { dev: true }),
        optional: true,
      });
  }
}

const check = process.argv.includes('--check');
for (const item of unknown)
  console.error(`${path}: ${item} has no entry, and its platform cannot be told from its name`);
if (check)
  for (const name of added.keys())
    console.error(`${path}: ${name} has no entry: run node scripts/complete-lockfile.ts`);
if (!check && added.size > 0) {
  const [root, ...rest] = [...packages, ...added];
  const sorted = [...(root === undefined ? [] : [root]), ...rest.sort(([a], [b]) => (a < b ? -1 : 1))];
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
console.log(`${packages.size} packages locked, ${added.size} ${check ? 'missing' : 'added'}`);
if (unknown.length > 0 || (check && added.size > 0)) process.exitCode = 1;
