/**
 * A real admin server on a free port, over a mesh that a test writes down: what the api and cli tests talk to. The rules that are applied are
 * parsed by the real parser and kept in memory.
 */

import { type AdminLimits, type AdminServer, startAdminServer } from '../../src/api/admin-server.ts';
import type { AdminSource, LogLevelSwitch, ReportFilter, RuleWriter } from '../../src/api/admin-source.ts';
import type { InspectionSource } from '../../src/api/inspection-source.ts';
import { createMetrics, type Metrics } from '../../src/api/metrics.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type LogLevel, silentLogger } from '../../src/core/logger.ts';
import { readYaml } from '../../src/manifest/yaml-documents.ts';
import type {
  ClusterReport,
  EndpointReport,
  ProxyReport,
  RuleReport,
  ServiceReport,
  WriteReport,
} from '../../src/model/report.ts';
import { parseTrafficRule } from '../../src/rules/traffic-rule/parse.ts';

export interface SampleMesh {
  clusters: ClusterReport[];
  services: ServiceReport[];
  endpoints: EndpointReport[];
  rules: RuleReport[];
  proxies: ProxyReport[];
  version: string;
  ready: boolean;
  inspection?: InspectionSource;
}

const nothingToInspect: InspectionSource = {
  findings: () => [],
  service: () => undefined,
  pod: () => undefined,
  rule: () => undefined,
  requestPath: () => ({ candidates: [] }),
};

export function emptyMesh(): SampleMesh {
  return { clusters: [], services: [], endpoints: [], rules: [], proxies: [], version: '0.1.0', ready: true };
}

export interface AdminRig {
  readonly url: string;
  readonly server: AdminServer;
  readonly mesh: SampleMesh;
  readonly metrics: Metrics;
  readonly level: () => LogLevel;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly mesh?: SampleMesh;
  readonly host?: string;
  readonly token?: () => string;
  readonly limits?: AdminLimits;
  /** Called after a rule was written; a test plays the proxies here. */
  readonly onWrite?: (rule: RuleReport) => void;
}

export async function startRig(options: RigOptions = {}): Promise<AdminRig> {
  const mesh = options.mesh ?? emptyMesh();
  const metrics = createMetrics();
  let level: LogLevel = 'info';
  const logLevel: LogLevelSwitch = {
    get: () => level,
    set: (next) => {
      level = next;
    },
  };
  const server = await startAdminServer({
    source: sourceOf(mesh),
    writer: writerOf(mesh, options.onWrite ?? (() => {})),
    metrics,
    logLevel,
    clock: systemClock,
    logger: silentLogger,
    host: options.host ?? '127.0.0.1',
    port: 0,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return {
    url: `http://127.0.0.1:${server.address.port}`,
    server,
    mesh,
    metrics,
    level: () => level,
    stop: () => server.stop(),
  };
}

function sourceOf(mesh: SampleMesh): AdminSource {
  return {
    clusters: () => mesh.clusters,
    services: () => mesh.services,
    endpoints: () => mesh.endpoints,
    rules: () => mesh.rules,
    kinds: [],
    objects: () => [],
    kindReports: () => [],
    proxies: (_filter: ReportFilter) => mesh.proxies,
    configDump: (nodeId) =>
      mesh.proxies.some(({ identity }) => identity.nodeId === nodeId) ? { configs: [{ name: nodeId }] } : undefined,
    catalog: () => ({ services: mesh.services.length }),
    version: () => ({ version: mesh.version, node: process.version, ready: mesh.ready }),
    readiness: () => ({
      ready: mesh.ready,
      checks: [{ name: 'clusters-synced', ok: mesh.ready, message: mesh.ready ? '' : 'west has not answered' }],
    }),
    settings: () => ({ outbound: 'allow-any', xds: '127.0.0.1:15010' }),
    inspection: mesh.inspection ?? nothingToInspect,
    drainPlan: async ({ place }) => ({ place, isRegistered: true, unknown: [], services: [] }),
  };
}

function writerOf(mesh: SampleMesh, onWrite: (rule: RuleReport) => void): RuleWriter {
  return {
    async apply(text, origin, { dryRun }): Promise<WriteReport> {
      const { sound: objects, findings } = readYaml(text, origin);
      const parsed = objects.map((raw) => ({ raw, ...parseTrafficRule(raw, { defaultNamespace: 'default' }) }));
      const isBad = findings.length > 0 || parsed.some(({ rule }) => rule === undefined);
      const results = parsed.map(({ raw, rule, namespace, name, findings: found }) => {
        const old = mesh.rules.find((other) => other.namespace === namespace && other.name === name);
        const { spec } = raw.object as { spec: unknown };
        const isSame = old !== undefined && JSON.stringify(old.spec) === JSON.stringify(spec);
        const generation = (old?.generation ?? 0) + (isSame ? 0 : 1);
        const action = rule === undefined || isBad ? 'invalid' : isSame ? 'unchanged' : old ? 'configured' : 'created';
        if (!isBad && !dryRun && !isSame && rule !== undefined) {
          const report: RuleReport = {
            namespace,
            name,
            generation,
            service: rule.service,
            origin: 'memory',
            createdAt: old?.createdAt ?? new Date().toISOString(),
            conditions: [],
            programmed: { acknowledged: 0, total: 2 },
            findings: found,
            spec,
          };
          mesh.rules = [...mesh.rules.filter((other) => other !== old), report];
          onWrite(report);
        }
        return { kind: 'TrafficRule', namespace, name, action, generation, findings: found } as const;
      });
      return { results };
    },
    async delete(kind, namespace, name, { dryRun }): Promise<WriteReport> {
      const old = mesh.rules.find((rule) => rule.namespace === namespace && rule.name === name);
      if (old !== undefined && !dryRun) mesh.rules = mesh.rules.filter((rule) => rule !== old);
      return {
        results: [{ kind, namespace, name, action: old === undefined ? 'not-found' : 'deleted', findings: [] }],
      };
    },
  };
}
