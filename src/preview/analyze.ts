/**
 * What is wrong with objects by themselves and beside one another: rules and other objects go in, coded findings come out. What always holds:
 * they are judged by the code that the pilot judges them by; nothing is said of what they name, for that takes clusters.
 */

import type { Finding } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { convertIstio } from '../istio/convert.ts';
import { istioKinds } from '../istio/kinds.ts';
import { allKinds } from '../kinds/all-kinds.ts';
import { type ExternalClaim, externalLosses } from '../mesh/external.ts';
import { externalLossFinding, type GivenObject } from '../mesh/external-findings.ts';
import type { ExternalService } from '../model/external.ts';
import { defaultMeshSettings } from '../model/mesh.ts';
import type { RawObject } from '../model/object.ts';
import { externalHead } from '../rules/external/head.ts';
import { parseExternalService } from '../rules/external/parse.ts';
import { trafficRuleHead } from '../rules/traffic-rule/head.ts';
import { RuleSet } from '../rules/traffic-rule/rule-set.ts';

export function analyzeObjects(objects: readonly RawObject[], defaultNamespace: string): readonly Finding[] {
  const ofKind = (wanted: string): readonly RawObject[] => objects.filter((raw) => kindOf(raw) === wanted);
  const others = objects.filter((raw) => kindOf(raw) !== trafficRuleHead.kind);
  const all = [
    ...analyzeRules(ofKind(trafficRuleHead.kind), defaultNamespace),
    ...others.flatMap((raw) => allKinds.parse(raw, { defaultNamespace }).findings),
    ...analyzeExternals(ofKind(externalHead.kind), defaultNamespace),
    ...analyzeIstio(objects, defaultNamespace),
  ];
  // What is wrong with an object of Istio's by itself is found both ways.
  return [...new Map(all.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/** Beside one another. */
function analyzeIstio(objects: readonly RawObject[], defaultNamespace: string): readonly Finding[] {
  const ofIstio = objects.filter((raw) => istioKinds.some(({ kind }) => kind === kindOf(raw)));
  if (ofIstio.length === 0) return [];
  const { clusterDomain } = defaultMeshSettings;
  return convertIstio(objects, { defaultNamespace, clusterDomain }).findings.filter(
    ({ code }) => code.startsWith('FW-ISTIO-') && !notSaid.has(code),
  );
}

/** A kind that is not read is told by the table of kinds; which ports a service has, clusters say. */
const notSaid: ReadonlySet<string> = new Set(['FW-ISTIO-020', 'FW-ISTIO-022']);

function kindOf({ object }: RawObject): unknown {
  return (object as { readonly kind?: unknown } | null | undefined)?.kind;
}

function analyzeRules(raws: readonly RawObject[], defaultNamespace: string): Finding[] {
  const rules = new RuleSet(silentLogger, { maxObjects: raws.length + 1, defaultNamespace });
  const source = rules.source('files');
  for (const [index, raw] of raws.entries()) source.put(raw, String(index));
  return rules.records().flatMap(({ findings }) => findings);
}

interface Given extends GivenObject {
  readonly key: string;
  readonly external: ExternalService;
}

function analyzeExternals(raws: readonly RawObject[], defaultNamespace: string): Finding[] {
  const given = raws.flatMap((raw, index): Given[] => {
    const { value, namespace, name } = parseExternalService(raw, { defaultNamespace });
    return value === undefined ? [] : [{ key: `files#${index}`, namespace, name, raw, external: value }];
  });
  const claims: readonly ExternalClaim[] = given;
  const losses = externalLosses(claims, () => false, defaultMeshSettings.clusterDomain);
  return given.flatMap((one) => {
    const loss = losses.get(one.key);
    return loss === undefined ? [] : [externalLossFinding(one, loss)];
  });
}
