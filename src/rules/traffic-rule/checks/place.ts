/**
 * What a schema cannot say of sources and places. In: a spec whose parts all have the right type (or are missing). Out: findings. The CEL rules
 * of schema/locality.ts say the same to the API server, but for the keys of labels and for what is only a warning.
 */

import type { Place } from '../../../model/service-policy.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import { show } from '../../objects/findings.ts';
import type { Sound } from '../../objects/structure.ts';
import type { RawMatch, RawSpec } from '../schema/spec.ts';

type Spec = Sound<RawSpec>;
type RawPlace = Partial<Record<keyof Place, string | undefined>>;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const labelKey = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

export function checkSource(source: Sound<RawMatch['source']>, path: Path, findings: Findings): void {
  for (const key of Object.keys(source?.labels ?? {})) {
    if (labelKey.test(key)) continue;
    const message = `labels must have keys that labels can have; one is ${show(key)}`;
    findings.error('FW-RULE-127', [...path, 'labels', key], message, 'Write the key as it stands on the pods');
  }
}

export function checkPlaces({ locality, within }: Spec, findings: Findings): void {
  if (within !== undefined) checkNamed(within, ['spec', 'within'], findings);
  if (locality === undefined) return;
  const at: Path = ['spec', 'locality'];
  const given = ['prefer', 'order', 'shares'].filter((name) => Object.hasOwn(locality, name));
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ');
    const hint = given.length === 0 ? 'Add one of prefer, order, shares' : `Keep one of ${given.join(', ')}`;
    findings.error('FW-RULE-121', at, `must have exactly one of prefer, order and shares; it has ${has}`, hint);
  }
  for (const [i, place] of (locality.order ?? []).entries()) {
    if (place !== undefined) checkNamed(place, [...at, 'order', i], findings);
  }
  checkCovered(locality.order ?? [], [...at, 'order'], findings);
  const entries = locality.shares ?? [];
  for (const [i, entry] of entries.entries()) {
    const to = entry?.to ?? [];
    const path = [...at, 'shares', i, 'to'];
    for (const [k, place] of to.entries()) if (place !== undefined) checkNamed(place, [...path, k], findings);
    checkCovered(to, path, findings);
    const first = entries
      .slice(0, i)
      .findIndex((other) => other !== undefined && covers(other.from ?? {}, entry?.from ?? {}));
    if (entry === undefined || first < 0) continue;
    const message = `these shares are never used: entry ${first} comes first and fits all of their clients`;
    findings.warn('FW-RULE-129', [...at, 'shares', i], message, `Move entry ${i} before entry ${first}, or remove it`);
  }
}

/** What is of the wrong type counts as given: that it is wrong has been said already. */
function checkNamed(place: RawPlace, path: Path, findings: Findings): void {
  if (Object.hasOwn(place, 'region') || Object.hasOwn(place, 'zone') || Object.hasOwn(place, 'cluster')) return;
  findings.error('FW-RULE-123', path, 'must name a region, a zone or a cluster', 'Name one of them');
}

function checkCovered(places: readonly (RawPlace | undefined)[], path: Path, findings: Findings): void {
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    const first = places.slice(0, i).findIndex((other) => other !== undefined && covers(other, place));
    if (first < 0) continue;
    const message = `this place never counts: all of its endpoints are in place ${first}, which comes first`;
    findings.warn('FW-RULE-128', [...path, i], message, 'Remove it, or put it before the wider one');
  }
}

/** All that is in `inner` is in `outer`. */
function covers(outer: RawPlace, inner: RawPlace): boolean {
  return (['region', 'zone', 'cluster'] as const).every(
    (name) => outer[name] === undefined || outer[name] === inner[name],
  );
}
