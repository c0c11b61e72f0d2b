/**
 * What `fairway check` finds in a mesh: everything the admin API reports goes in, groups of results come out. Pure, but for the reading.
 * What always holds: a check that does not hold says its cause and what to do; a long list is cut with a count, never silently.
 */

import type { ClusterReport, ProxyReport, RuleReport, ServiceReport, VersionReport } from '../model/report.ts';
import type { AdminClient, HealthAnswer } from './admin-client.ts';
import { ageOf } from './duration.ts';
import { proxyName } from './views/proxies.ts';
import { conditionOf } from './views/rules.ts';

export interface CheckResult {
  readonly title: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly cause?: string;
  readonly hint?: string;
}

export interface CheckGroup {
  readonly title: string;
  readonly results: readonly CheckResult[];
}

export interface MeshReading {
  readonly url: string;
  readonly version: VersionReport;
  readonly health: HealthAnswer;
  readonly clusters: readonly ClusterReport[];
  readonly services: readonly ServiceReport[];
  readonly rules: readonly RuleReport[];
  readonly proxies: readonly ProxyReport[];
}

export async function readMesh(client: AdminClient): Promise<MeshReading> {
  // First alone: a pilot that is not there is then one error, not six.
  const version = await client.version();
  const [health, clusters, services, rules, proxies] = await Promise.all([
    client.ready(),
    client.list('clusters', {}),
    client.list('services', {}),
    client.list('rules', {}),
    client.list('proxies', {}),
  ]);
  return { url: client.url, version, health, clusters, services, rules, proxies };
}

/** At most this many bad ones of a kind are listed. */
const mostListed = 10;

export function checkMesh(mesh: MeshReading, ownVersion: string, nowMs: number): readonly CheckGroup[] {
  return [
    { title: 'pilot', results: checkPilot(mesh, ownVersion) },
    { title: 'clusters', results: checkClusters(mesh, nowMs) },
    { title: 'services', results: checkServices(mesh) },
    { title: 'rules', results: checkRules(mesh) },
    { title: 'proxies', results: checkProxies(mesh, nowMs) },
  ];
}

function checkPilot({ url, version, health }: MeshReading, ownVersion: string): CheckResult[] {
  const failing = health.text.split('\n').filter((line) => line.startsWith('[-]'));
  return [
    { title: `the admin API answers at ${url}`, state: 'ok' },
    health.ok
      ? { title: 'the pilot is ready', state: 'ok' }
      : {
          title: 'the pilot is ready',
          state: 'failed',
          cause: failing.join('; ') || 'it says that it is not',
          hint: "See /readyz?verbose of the admin API and the pilot's log",
        },
    version.version === ownVersion
      ? { title: `pilot and command are both ${ownVersion}`, state: 'ok' }
      : {
          title: 'pilot and command are of one version',
          state: 'warning',
          cause: `the pilot is ${version.version}, this command ${ownVersion}`,
          hint: 'Upgrade the older of the two',
        },
  ];
}

function checkClusters({ clusters }: MeshReading, nowMs: number): CheckResult[] {
  if (clusters.length === 0) {
    return [
      {
        title: 'a cluster is registered',
        state: 'failed',
        cause: 'the pilot knows none',
        hint: 'Start it with --clusters DIR or --context NAME, or add a Secret labelled fairway.dev/cluster: "true"',
      },
    ];
  }
  const bad = clusters.filter(({ phase }) => phase !== 'fresh');
  const noisy = clusters.filter(({ findings, dropped }) => findings.length > 0 || dropped > 0);
  return [
    ...summary(`clusters are fresh (${clusters.length})`, bad, (cluster) => {
      const isWaiting = cluster.phase === 'connecting' || cluster.phase === 'syncing';
      const since = ageOf(cluster.phase === 'stale' ? (cluster.lastNews ?? cluster.since) : cluster.since, nowMs);
      return {
        title: `${cluster.name} is ${cluster.phase} since ${since}`,
        state: isWaiting && cluster.problem === undefined ? 'warning' : 'failed',
        cause: cluster.problem
          ? `${cluster.problem.code} ${cluster.problem.message}`
          : 'it has not answered in full yet',
        hint: cluster.problem?.hint ?? 'Wait for its first full list, or look at its API',
      };
    }),
    ...summary('what the clusters say is taken whole', noisy, ({ name, findings, dropped }) => ({
      title: `parts of ${name} are left out`,
      state: 'warning',
      cause: findings.map(({ code, message }) => `${code} ${message}`).join('; ') || `${dropped} services or endpoints`,
      hint: `See \`fairway get clusters ${name} -o yaml\``,
    })),
  ];
}

function checkServices({ services }: MeshReading): CheckResult[] {
  const conflicting = services.filter(({ conflicts }) => conflicts.length > 0);
  const unserved = services.filter(({ endpoints }) => endpoints.ready === 0);
  return [
    ...summary(`services agree between clusters (${services.length})`, conflicting, (service) => ({
      title: `${nameOf(service)} differs between clusters`,
      state: 'warning',
      cause: service.conflicts.map(({ message }) => message).join('; '),
      hint: 'Give the service the same ports in every cluster',
    })),
    ...summary('every service has a ready endpoint', unserved, (service) => ({
      title: `${nameOf(service)} has no ready endpoint`,
      state: 'warning',
      cause: `0 of ${service.endpoints.total} are ready in ${service.clusters.join(', ')}`,
      hint: `See \`fairway get endpoints ${service.namespace}/${service.name}\``,
    })),
  ];
}

/** The exported part of a service goes by its own name, where it is one. */
function nameOf({ namespace, name, clusterset }: ServiceReport): string {
  return clusterset?.names === 'only' ? clusterset.host : `${namespace}/${name}`;
}

function checkRules({ rules, proxies }: MeshReading): CheckResult[] {
  if (rules.length === 0) return [{ title: 'there are no rules to check', state: 'ok' }];
  const bad = (type: 'Accepted' | 'ResolvedRefs' | 'Programmed'): readonly RuleReport[] =>
    rules.filter((rule) => conditionOf(rule, type)?.status !== 'True');
  const refused = bad('Accepted');
  const describe = (rule: RuleReport, type: 'Accepted' | 'ResolvedRefs' | 'Programmed'): string => {
    const condition = conditionOf(rule, type);
    return condition === undefined ? 'the pilot has not said yet' : `${condition.reason}: ${condition.message}`;
  };
  return [
    ...summary(`rules are accepted (${rules.length})`, refused, (rule) => ({
      title: `${rule.namespace}/${rule.name} is not accepted`,
      state: 'failed',
      cause: describe(rule, 'Accepted'),
      hint: rule.findings.find(({ severity }) => severity === 'error')?.hint ?? 'Correct the rule and apply it again',
    })),
    ...summary('what the rules name exists', bad('ResolvedRefs'), (rule) => ({
      title: `${rule.namespace}/${rule.name} names something that is not there`,
      state: 'warning',
      cause: describe(rule, 'ResolvedRefs'),
      hint: 'Correct the name, or wait for it to come: the rule then takes effect by itself',
    })),
    ...summary(
      'every accepted rule is in force on every proxy',
      // Without proxies there is nobody to hold a rule; that is said once, below.
      proxies.length === 0 ? [] : bad('Programmed').filter((rule) => !refused.includes(rule)),
      (rule) => ({
        title: `${rule.namespace}/${rule.name} is held by ${rule.programmed.acknowledged} of ${rule.programmed.total} proxies`,
        state: conditionOf(rule, 'Programmed')?.status === 'False' ? 'failed' : 'warning',
        cause: describe(rule, 'Programmed'),
        hint: 'See `fairway get proxies` for those that wait or rejected it',
      }),
    ),
  ];
}

function checkProxies({ proxies }: MeshReading, nowMs: number): CheckResult[] {
  if (proxies.length === 0) {
    return [
      {
        title: 'a proxy is connected',
        state: 'warning',
        cause: 'none has an open stream to this pilot',
        hint: 'Start an Envoy with `fairway bootstrap`; another replica of the pilot may hold the streams',
      },
    ];
  }
  const typesIn = (proxy: ProxyReport, state: string): [string, ProxyReport['types'][string]][] =>
    Object.entries(proxy.types).filter(([, type]) => type.state === state);
  const rejecting = proxies.filter((proxy) => typesIn(proxy, 'rejected').length > 0);
  const pending = proxies.filter((proxy) => !rejecting.includes(proxy) && typesIn(proxy, 'pending').length > 0);
  return [
    ...summary(`no proxy rejects its configuration (${proxies.length})`, rejecting, (proxy) => ({
      title: `${proxyName(proxy)} in ${proxy.identity.cluster || 'an unnamed cluster'} rejects configuration`,
      state: 'failed',
      cause: typesIn(proxy, 'rejected')
        .map(([type, { since, error }]) => `${type} since ${ageOf(since, nowMs)}: ${error}`)
        .join('; '),
      hint: 'What it held before stays in force; see the rules for the one that is set aside',
    })),
    ...summary('every proxy holds the newest configuration', pending, (proxy) => ({
      title: `${proxyName(proxy)} is behind`,
      state: 'warning',
      cause: typesIn(proxy, 'pending')
        .map(([type, { since }]) => `${type} since ${ageOf(since, nowMs)}`)
        .join('; '),
      hint: 'Look at that Envoy and its network if this lasts',
    })),
  ];
}

/** One good line, or a line for each bad one up to the bound. */
function summary<Item>(title: string, bad: readonly Item[], describe: (item: Item) => CheckResult): CheckResult[] {
  if (bad.length === 0) return [{ title, state: 'ok' }];
  const results = bad.slice(0, mostListed).map(describe);
  const omitted = bad.length - results.length;
  if (omitted === 0) return results;
  const state = bad.some((item) => describe(item).state === 'failed') ? 'failed' : 'warning';
  return [...results, { title: `and ${omitted} more like these`, state, hint: 'List all with `fairway get`' }];
}
