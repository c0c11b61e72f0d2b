/**
 * Who wins where several objects want the same: the oldest by creation time, then the first by `namespace/name`, then the first by source
 * (Gateway API's order: https://gateway-api.sigs.k8s.io/guides/api-design/#conflicts). An object without a creation time counts as the oldest.
 */

import { compareText } from '../../core/compare-text.ts';
import type { Finding } from '../../core/errors.ts';
import type { Loss, RuleRecord } from './rule-record.ts';

/** Negative when `a` goes before `b`. */
export function compareRecords(a: RuleRecord, b: RuleRecord): number {
  return (
    (a.lastGood?.createdAtMs ?? a.createdAtMs) - (b.lastGood?.createdAtMs ?? b.createdAtMs) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    compareText(a.key, b.key)
  );
}

export function lossOf(kind: Loss['kind'], by: RuleRecord): Loss {
  return { kind, by: { key: by.key, id: `${by.namespace}/${by.name}`, origin: by.lastGood?.origin ?? by.raw.origin } };
}

/** What a person is told who looks at the losing object. */
export function lossFinding(record: RuleRecord, { kind, by }: Loss): Finding {
  const object = `TrafficRule ${record.namespace}/${record.name}`;
  if (kind === 'duplicate') {
    const message = `the same object also comes from ${by.origin}, which goes before ${record.raw.origin}`;
    return {
      code: 'FW-RULE-041',
      severity: 'error',
      message,
      where: { ...record.raw.where(['metadata', 'name']), object },
      hint: 'Keep it in one place',
    };
  }
  const message = `TrafficRule ${by.id} (${by.origin}) is in force for the service: it is the older one, or the first by name`;
  const where = { ...record.raw.where(['spec', 'service']), object, field: 'spec.service' };
  return { code: 'FW-RULE-040', severity: 'error', message, where, hint: 'Merge the two rules, or delete one of them' };
}
