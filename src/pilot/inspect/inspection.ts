/** The closer looks that the admin API offers, over the pilot's stages. */

import type { InspectionSource } from '../../api/inspection-source.ts';
import { meshFindings } from './findings.ts';
import type { InspectInputs } from './inputs.ts';
import { describePod } from './pods.ts';
import { proxyRequestPath } from './request-paths.ts';
import { ruleHoldings } from './rules.ts';
import { describeService } from './services.ts';

export function createInspection(inputs: InspectInputs): InspectionSource {
  return {
    findings: () => meshFindings(inputs),
    service: (namespace, name) => describeService(inputs, namespace, name),
    pod: (namespace, name) => describePod(inputs, namespace, name),
    rule: (namespace, name, holder) => ruleHoldings(inputs, namespace, name, holder),
    requestPath: (proxy, host, port, request) => proxyRequestPath(inputs, proxy, host, port, request),
  };
}
