/** What is wrong with a valid ExternalService beside the others, the services and the clusters that there are: for statuses and for `analyze`. */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import type { ExternalLoss } from './external.ts';

/** As it was given. */
export interface GivenObject {
  readonly namespace: string;
  readonly name: string;
  readonly raw: RawObject;
}

export function lossText(loss: ExternalLoss): string {
  switch (loss.kind) {
    case 'service':
      return `${loss.host} is, or holds, a name of the service ${loss.service} of the mesh`;
    case 'duplicate':
      return `the same object from ${loss.by.origin} goes before this one`;
    case 'claimed': {
      const { namespace, name } = loss.by.ref;
      return `${loss.host} is a host of ExternalService ${namespace}/${name} (${loss.by.origin}): it is older, or first by name`;
    }
  }
}

export function externalLossFinding({ namespace, name, raw }: GivenObject, loss: ExternalLoss): Finding {
  const object = `ExternalService ${namespace}/${name}`;
  if (loss.kind === 'duplicate') {
    return {
      code: 'FW-RULE-041',
      severity: 'error',
      message: lossText(loss),
      where: { ...raw.where(['metadata', 'name']), object },
      hint: 'Keep it in one place',
    };
  }
  const where = { ...raw.where(['spec', 'hosts']), object, field: 'spec.hosts' };
  return loss.kind === 'service'
    ? {
        code: 'FW-RULE-171',
        severity: 'error',
        message: lossText(loss),
        where,
        hint: 'Remove the host; the mesh’s own services are reached without an ExternalService',
      }
    : {
        code: 'FW-RULE-170',
        severity: 'error',
        message: lossText(loss),
        where,
        hint: 'Remove the host from one of the two, or give both `from` with clusters of their own',
      };
}

export function unknownClusterFinding({ namespace, name, raw }: GivenObject, cluster: string): Finding {
  return {
    code: 'FW-RULE-172',
    severity: 'warning',
    message: `no cluster named ${cluster} is registered`,
    where: {
      ...raw.where(['spec', 'from', 'clusters']),
      object: `ExternalService ${namespace}/${name}`,
      field: 'spec.from.clusters',
    },
    hint: 'Register the cluster, or correct the name',
  };
}
