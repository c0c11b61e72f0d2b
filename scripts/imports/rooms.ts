/**
 * Which room of src/ may import which, as data: the rule and the reason for it. `scripts/check-imports.ts` holds the sources to this table.
 *
 * What always holds: every folder of src/ has a row; nothing is allowed that no row names; an exception names one file on each side, or a
 * folder where its name ends in '/', so that it cannot widen unseen.
 */

export interface Room {
  readonly name: string;
  /** Rooms it may import, besides itself. */
  readonly mayImport: readonly string[];
  readonly reason: string;
}

export interface Exception {
  /** A file, or a folder when it ends in '/', under src/. */
  readonly from: string;
  readonly to: string;
  /** 'lazy': only through `await import(…)`, or as types, so that a command that does not need it does not pay for it. */
  readonly how: 'any' | 'lazy';
  readonly reason: string;
}

export interface PackageOwner {
  readonly package: string;
  /** Folders (ending in '/') or files under src/ that may import it. */
  readonly owners: readonly string[];
  readonly reason: string;
}

export interface LazyFile {
  /** A file under src/ that others load with `await import(…)`, or for its types, only. */
  readonly file: string;
  readonly reason: string;
}

export interface ImportTable {
  readonly rooms: readonly Room[];
  readonly exceptions: readonly Exception[];
  readonly packages: readonly PackageOwner[];
  readonly lazyFiles: readonly LazyFile[];
}

const allRooms = [
  'core',
  'model',
  'manifest',
  'registry',
  'mcs',
  'catalog',
  'rules',
  'gateway-api',
  'istio',
  'kinds',
  'mesh',
  'envoy',
  'preview',
  'xds',
  'api',
];

export const importTable: ImportTable = {
  rooms: [
    { name: 'core', mayImport: [], reason: 'Everybody stands on it, so it stands on nothing.' },
    { name: 'model', mayImport: ['core'], reason: 'Types that every room shares; no behaviour beyond constructors.' },
    {
      name: 'manifest',
      mayImport: ['core', 'model'],
      reason: 'Text into objects with their places, for whoever reads what people write; what they mean is for others.',
    },
    {
      name: 'registry',
      mayImport: ['core', 'model', 'manifest'],
      reason: 'Says what a cluster holds; what becomes of it is not its business.',
    },
    {
      name: 'mcs',
      mayImport: ['core', 'model'],
      reason:
        'What exports make together is worked out without asking anybody; who reads and writes them is for others.',
    },
    { name: 'catalog', mayImport: ['core', 'model'], reason: 'A pure merge: it must not know where shards come from.' },
    { name: 'rules', mayImport: ['core', 'model'], reason: 'A rule is judged by itself; what exists is handed in.' },
    {
      name: 'gateway-api',
      mayImport: ['core', 'model', 'rules'],
      reason: 'Reads the Gateway API’s objects by the means that rules has for all objects; what exists is handed in.',
    },
    { name: 'istio', mayImport: ['core', 'model', 'rules'], reason: "Reads Istio's objects; likewise." },
    {
      name: 'kinds',
      mayImport: ['core', 'model', 'rules', 'gateway-api', 'istio'],
      reason:
        'One table of all kinds, for whoever carries objects; none of the rooms that define kinds knows the others.',
    },
    {
      name: 'mesh',
      mayImport: ['core', 'model'],
      reason: 'Compiles without a word of Envoy, so that another data plane could be served.',
    },
    { name: 'envoy', mayImport: ['core', 'model'], reason: "The only room that knows Envoy's field names." },
    {
      name: 'preview',
      mayImport: ['core', 'model', 'manifest', 'registry', 'catalog', 'rules', 'istio', 'kinds', 'mesh', 'envoy'],
      reason: 'What would be in force, computed by the stages themselves, and kept nowhere.',
    },
    { name: 'xds', mayImport: ['core'], reason: 'The protocol carries any resources; it knows nothing of meshes.' },
    {
      name: 'api',
      mayImport: ['core', 'model'],
      reason: 'A read-only view and a writer are injected; it cannot reach into the pilot.',
    },
    { name: 'pilot', mayImport: allRooms, reason: 'The one place that wires the stages into a process.' },
    {
      name: 'cli',
      mayImport: ['core', 'model', 'manifest', 'rules', 'kinds'],
      reason: 'A client of the admin API and of Kubernetes, not a part of the pilot.',
    },
    {
      name: 'demo',
      mayImport: ['core', 'model'],
      reason: 'A scene played by real processes: it starts the command, it does not reach into it.',
    },
  ],
  exceptions: [
    {
      from: 'cli/serve.ts',
      to: 'pilot/',
      how: 'any',
      reason: '`fairway serve` starts the pilot; this file is loaded for that command alone.',
    },
    {
      from: 'cli/offline.ts',
      to: 'pilot/preview/',
      how: 'any',
      reason:
        'What files lead to is what a pilot at rest makes of them; this file is loaded for `translate`, `diff --clusters` and `analyze --clusters` alone.',
    },
    {
      from: 'cli/commands/analyze.ts',
      to: 'preview/analyze.ts',
      how: 'lazy',
      reason: '`fairway analyze -f` judges objects by the code that the pilot judges them by.',
    },
    {
      from: 'cli/',
      to: 'envoy/bootstrap.ts',
      how: 'any',
      reason: '`fairway bootstrap` renders a bootstrap on a machine that no pilot can be asked from.',
    },
    {
      from: 'cli/',
      to: 'envoy/grpc/bootstrap.ts',
      how: 'any',
      reason: 'The same for clients that have no Envoy.',
    },
    {
      from: 'cli/kubernetes-store.ts',
      to: 'registry/kube/objects.ts',
      how: 'any',
      reason: '`apply` and `delete` write rules through a kubeconfig; this file is loaded only then.',
    },
    {
      from: 'cli/kubernetes-store.ts',
      to: 'registry/kube/access.ts',
      how: 'any',
      reason: 'The kubeconfig is read by the rules that hold for the pilot too.',
    },
    {
      from: 'cli/kubernetes-store.ts',
      to: 'registry/kube/revision-reader.ts',
      how: 'any',
      reason:
        '`rule history` and `rule undo` read what the pilot keeps of the forms of rules, by the names that it gives them.',
    },
    {
      from: 'cli/commands/convert-istio.ts',
      to: 'istio/convert.ts',
      how: 'any',
      reason:
        '`fairway convert istio` translates by the code that the pilot translates by; the file is loaded for it alone.',
    },
    { from: 'cli/', to: 'demo/', how: 'lazy', reason: '`fairway demo` plays the scene; no other command loads it.' },
    {
      from: 'demo/',
      to: 'envoy/bootstrap.ts',
      how: 'any',
      reason: "The demo's Envoys start with the bootstrap that `fairway bootstrap` prints.",
    },
  ],
  packages: [
    {
      package: '@kubernetes/client-node',
      owners: ['registry/kube/'],
      reason: "One room knows Kubernetes' client, so that it can be wrapped or replaced there.",
    },
    {
      package: '@grpc/grpc-js',
      owners: ['xds/', 'pilot/'],
      reason: 'gRPC is the transport of xDS; the pilot gives it its limits.',
    },
    {
      package: 'protobufjs',
      owners: ['envoy/', 'xds/'],
      reason: 'Resources are encoded in envoy, messages in xds; nobody else handles wire bytes.',
    },
    { package: 'fastify', owners: ['api/'], reason: 'HTTP is served in one room.' },
    { package: 'commander', owners: ['cli/'], reason: 'Arguments are read in one room.' },
    { package: '@bomb.sh/tab', owners: ['cli/'], reason: 'Completion belongs to the command.' },
    {
      package: 'string-width',
      owners: ['cli/', 'demo/'],
      reason: 'Columns are laid out for people, there and nowhere else.',
    },
    {
      package: 'pino',
      owners: ['pilot/', 'cli/'],
      reason: 'Rooms take a Logger; the process decides what is behind it.',
    },
  ],
  lazyFiles: [
    { file: 'cli/serve.ts', reason: 'it brings the whole pilot, which no other command needs' },
    { file: 'cli/offline.ts', reason: 'it brings the whole pilot, which few commands need' },
    { file: 'cli/kubernetes-store.ts', reason: 'it brings the Kubernetes client, which few commands need' },
  ],
};
