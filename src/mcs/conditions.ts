/**
 * The conditions of a ServiceExport (multicluster.x-k8s.io, `status.conditions`). In: what is known of its Service, and the clusterset service it
 * is part of. Out: conditions without times; they depend on nothing else.
 */

import type { ClustersetService } from './clusterset.ts';

export interface ExportCondition {
  readonly type: 'Valid' | 'Ready' | 'Conflict';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** What an export is of. */
export type ExportSubject =
  | { readonly kind: 'exported'; readonly service: ClustersetService }
  /** The namespace has no Service of this name. */
  | { readonly kind: 'no-service' }
  /** The Service has no endpoints to export. */
  | { readonly kind: 'external-name' }
  /** The Service is there, and has not been read yet. */
  | { readonly kind: 'pending' };

/** What the API takes, with room to spare. */
const messageMax = 8_000;

export function exportConditions(subject: ExportSubject): readonly ExportCondition[] {
  switch (subject.kind) {
    case 'no-service':
      return [
        condition('Valid', false, 'NoService', 'the namespace has no Service of this name'),
        condition('Ready', false, 'Pending', 'there is nothing to export yet'),
      ];
    case 'external-name':
      return [
        condition('Valid', false, 'InvalidServiceType', 'a Service of type ExternalName cannot be exported'),
        condition('Ready', false, 'Failed', 'a Service of type ExternalName has no endpoints to export'),
      ];
    case 'pending':
      return [
        condition('Valid', true, 'Valid', 'the Service can be exported'),
        condition('Ready', false, 'Pending', 'the Service is being read'),
      ];
    case 'exported': {
      const { conflicts, exports } = subject.service;
      const count = exports.size === 1 ? 'this cluster alone exports it' : `${exports.size} clusters export it`;
      return [
        condition('Valid', true, 'Valid', 'the Service can be exported'),
        condition('Ready', true, 'Exported', `the Service is exported to the clusterset; ${count}`),
        conflicts.length === 0
          ? condition('Conflict', false, 'NoConflicts', 'all exports of the service agree')
          : condition(
              'Conflict',
              true,
              conflicts.map(({ reason }) => reason).join(','),
              conflicts.map(({ message }) => message).join('; '),
            ),
      ];
    }
  }
}

function condition(type: ExportCondition['type'], isTrue: boolean, reason: string, message: string): ExportCondition {
  return { type, status: isTrue ? 'True' : 'False', reason, message: message.slice(0, messageMax) };
}
