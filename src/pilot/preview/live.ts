/**
 * What applying objects would do to the proxies that are connected to this pilot, without doing it: the answer to `fairway diff`.
 *
 * What always holds: nothing of the pilot is changed; one request is worked on at a time, in slices between which everything else has its
 * turn; what comes while another is worked on is refused, not queued.
 */

import type { Previewer } from '../../api/preview-route.ts';
import { FairwayError } from '../../core/errors.ts';
import { readYamlInTurns } from '../../manifest/yaml-documents.ts';
import type { Scope } from '../../model/mesh.ts';
import type { RawObject } from '../../model/object.ts';
import type { PreviewReport } from '../../model/preview.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { type PreviewInput, type ProxySet, preview } from '../../preview/preview.ts';
import type { Side } from '../../preview/scope-changes.ts';
import { resolveRule } from '../../rules/traffic-rule/resolve.ts';
import type { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import type { Engine } from '../engine.ts';
import type { Proxy } from '../proxies/proxies.ts';
import type { RuleLayer, RulesInForce } from '../rules/rules-in-force.ts';
import type { ScopeView } from '../scope/view.ts';
import { type Sides, sidesOf } from './sides.ts';
import { type Trial, tryObjects } from './trial.ts';
import type { OtherSets } from './trial-kinds.ts';

export interface LivePreviewInputs {
  readonly engine: Engine;
  readonly rules: RuleSet;
  /** With what other objects than TrafficRules say of routing. */
  readonly inForce: Pick<RulesInForce, 'with'>;
  /** The sets of other kinds. */
  readonly others: Omit<OtherSets, 'clusterDomain' | 'catalog' | 'exported'>;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  /** The source that new objects would come from. */
  readonly source: string;
  readonly now: () => number;
}

/** How long others wait at most, ms; a single scope may take longer. */
const sliceMs = 4;
const namesMax = 100;
const objectsMax = 200;

export function livePreviewer(inputs: LivePreviewInputs): Previewer {
  let isBusy = false;
  return async (text, origin, defaultNamespace) => {
    if (isBusy) throw busy();
    isBusy = true;
    try {
      const { objects, findings } = await readYamlInTurns(text, origin);
      if (objects.length > objectsMax) throw tooMany(objects.length);
      const report = await previewObjects(inputs, findings.length > 0 ? [] : objects, defaultNamespace);
      // What cannot be read might be anything.
      const unread = findings.length === 0 ? [] : [{ kind: '', namespace: '', name: '', action: 'invalid' as const }];
      return { ...report, objects: [...report.objects, ...unread], findings: [...findings, ...report.findings] };
    } finally {
      isBusy = false;
    }
  };
}

function busy(): FairwayError {
  return new FairwayError({
    code: 'FW-PREVIEW-002',
    message: 'the pilot is looking at another change just now',
    where: {},
    hint: 'Ask again in a moment',
  });
}

function tooMany(count: number): FairwayError {
  return new FairwayError({
    code: 'FW-PREVIEW-003',
    message: `${count} objects are too many to look at once`,
    where: {},
    hint: `Give at most ${objectsMax}; split them into several files`,
  });
}

export async function previewObjects(
  inputs: LivePreviewInputs,
  objects: readonly RawObject[],
  defaultNamespace: string,
): Promise<PreviewReport> {
  const { engine, rules, source } = inputs;
  const { catalog, exported } = engine;
  const others = { ...inputs.others, clusterDomain: engine.mesh.settings.clusterDomain, catalog, exported };
  const trial = tryObjects(rules, others, objects, { source, defaultNamespace, nowMs: inputs.now() });
  const findings = [...trial.findings, ...unresolved(inputs, trial)];
  const { services, members, grants } = trial.others;
  const rulesThen = rulesWith(inputs, trial);
  const primary = (key: ServiceKey): TrafficRule | undefined =>
    rulesThen.has(key) ? rulesThen.get(key) : engine.ruleInForce(key);
  const { memberRules } = inputs.others;
  const membersBefore = memberRules.table;
  const sides = sidesOf(engine, {
    rules: rulesThen,
    services,
    membersBefore,
    membersAfter: members?.(primary) ?? memberRules.tableWith(memberRules.grants, primary, grants?.permits),
  });
  const compared = await preview(await previewInput(inputs, sides));
  return { objects: trial.objects, findings, changed: rulesThen.size > 0 || !sides.isEmpty, ...compared };
}

/** Out of all layers, with what objects on trial would make of theirs. */
function rulesWith(
  { engine, inForce, others: { gateway, istio, permitted } }: LivePreviewInputs,
  { services, others: { routes, istio: ofIstio, grants } }: Trial,
): ReadonlyMap<ServiceKey, TrafficRule | undefined> {
  const then = new Map<ServiceKey, TrafficRule | undefined>();
  const permits = grants?.permits ?? permitted.permits;
  const granted = [...(grants?.namespaces ?? [])].flatMap((namespace) => [...permitted.servicesInto(namespace)]);
  for (const key of new Set([...services.keys(), ...routes.keys(), ...ofIstio.keys(), ...granted])) {
    const said = new Map<RuleLayer, TrafficRule | undefined>();
    const trial = services.get(key);
    said.set(
      permitted,
      services.has(key) ? trial && permitted.formWith(trial, permits) : permitted.getWith(key, permits),
    );
    if (routes.has(key)) said.set(gateway.rules, routes.get(key));
    if (ofIstio.has(key)) said.set(istio.rules, ofIstio.get(key));
    const rule = inForce.with(key, said);
    const now = engine.ruleInForce(key);
    if (rule?.hash !== now?.hash || rule?.ref.name !== now?.ref.name) then.set(key, rule);
  }
  return then;
}

function unresolved(
  { engine, clusters, others }: LivePreviewInputs,
  { records, others: { grants } }: Trial,
): PreviewReport['findings'] {
  const targets = {
    service: (key: ServiceKey) => engine.ruled(key),
    clusters: clusters(),
    permits: grants?.permits ?? others.permitted.permits,
  };
  return records.flatMap(({ latest, raw }) => {
    if (latest === undefined) return [];
    const resolution = resolveRule(latest, targets, (path) => raw.where(path));
    return resolution.resolved ? [] : resolution.findings;
  });
}

async function previewInput({ engine, clusters }: LivePreviewInputs, sides: Sides): Promise<PreviewInput> {
  const hasOwn = [...sides.compiled.values()].some(({ catalog }) => catalog.ownClusterOnly === true);
  const scopes = hasOwn ? [...clusters()].sort().map((cluster): Scope => ({ ...nobody, cluster })) : [nobody];
  const pause = pauses();
  return {
    settings: engine.mesh.settings,
    sets: sides.isEmpty ? [] : await proxySets(engine, sides, pause),
    unseen: scopes.map((scope) => ({
      before: { scope, services: sides.before(scope) },
      after: { scope, services: sides.after(scope) },
    })),
    led: sides.led,
    pause,
  };
}

/** Nothing is known of it, so nothing is near it. */
const nobody: Scope = {
  cluster: '',
  network: '',
  namespace: '',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'vhds',
  rejected: [],
};

interface Building {
  readonly proxy: Proxy;
  readonly before: Side;
  readonly after: Side;
  count: number;
  readonly names: string[];
}

/** How many proxies are sorted between two looks at the clock. */
const batchSize = 500;

async function proxySets(engine: Engine, sides: Sides, pause: () => Promise<void>): Promise<readonly ProxySet[]> {
  const asks = [...sides.compiled.values()].some(({ asks: asked }) => asked !== undefined);
  const answersOf = asks ? engine.answersWith(sides.compiled) : undefined;
  const sets = new Map<ScopeView, Map<string, Building>>();
  let seen = 0;
  for (const proxy of engine.proxies.all()) {
    seen += 1;
    if (seen % batchSize === 0) await pause();
    const { view, identity, transport } = proxy;
    const { answers: now, ...rest } = view.scope;
    const answers = answersOf !== undefined && rest.rejected.length === 0 ? answersOf(identity) : now;
    const id = answersOf === undefined ? transport : JSON.stringify([transport, answers ?? null]);
    const ofView = sets.get(view) ?? new Map<string, Building>();
    sets.set(view, ofView);
    const known = ofView.get(id);
    const name = `${identity.workload}.${identity.namespace}`;
    if (known !== undefined) {
      known.count += 1;
      if (known.names.length < namesMax) known.names.push(name);
      continue;
    }
    const after: Scope = { ...rest, ...(answers === undefined ? {} : { answers }) };
    ofView.set(id, {
      proxy,
      before: { scope: view.scope, services: sides.before(view.scope) },
      after: { scope: after, services: sides.after(view.scope) },
      count: 1,
      names: [name],
    });
  }
  return [...sets].flatMap(([view, ofView]) =>
    [...ofView.values()].map(({ proxy, before, after, count, names }) => ({
      before,
      after,
      transport: proxy.transport,
      proxies: count,
      names,
      live: (url: string) => view.resources(url),
    })),
  );
}

function pauses(): () => Promise<void> {
  let startedMs = performance.now();
  return async () => {
    if (performance.now() - startedMs < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    startedMs = performance.now();
  };
}
