/** What is said of a member's rule that is not in force though it is good. */

import type { Finding } from '../../core/errors.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';

export function withheldFinding(
  { namespace, name, raw }: RuleRecord,
  cluster: string,
  { reason, message }: NonNullable<RuleRecord['withheld']>,
): Finding {
  const object = `TrafficRule ${namespace}/${name}`;
  if (reason === 'NotGranted') {
    return {
      code: 'FW-RULE-200',
      severity: 'warning',
      message,
      where: { ...raw.where(['metadata', 'name']), object, cluster },
      hint: `Apply a ClusterPolicy in the primary that grants ${cluster} TrafficRules in ${namespace}, or delete the rule in ${cluster}`,
    };
  }
  return {
    code: 'FW-RULE-201',
    severity: 'warning',
    message,
    where: { ...raw.where(['spec', 'service']), object, cluster, field: 'spec.service' },
    hint: 'Delete the rule in the primary or in the member, or give the ClusterPolicy precedence: member',
  };
}
